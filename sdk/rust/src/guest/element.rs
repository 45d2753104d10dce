//! The contract of one element a call: each element is a run of one.

use std::cell::RefCell;

use super::bindings::torvyn::streaming::buffer_allocator::{allocate, clone_into_mutable};
use super::streaming::{
    BackpressureSignal, Buffer, BufferError, ElementMeta, MutableBuffer, OutputElement,
    ProcessError, ProcessResult, StreamElement,
};
use super::{Export, Stage, enter, signal_of, work};
use crate::host::{Batch, Meta, Metas, Packed, Refusal, Writer};
use crate::{Error, Result};

impl Batch for StreamElement<'_> {
    fn count(&self) -> usize {
        1
    }

    fn read(&self) -> Packed {
        let bytes = self.payload.read_all();
        let ends = vec![bytes.len() as u32];
        Packed { bytes, ends }
    }

    fn sizes(&self) -> Vec<u64> {
        vec![self.payload.size()]
    }

    fn metas(&self) -> Metas {
        let meta = Meta {
            sequence: self.meta.sequence,
            timestamp_ns: self.meta.timestamp_ns,
            deadline_ns: self.context.deadline_ns(),
            content_type: 0,
        };
        Metas {
            metas: vec![meta],
            content_types: vec![self.meta.content_type.clone()],
        }
    }

    fn flow_id(&self) -> String {
        self.context.flow_id()
    }

    fn trace_id(&self, _: usize) -> String {
        self.context.trace_id()
    }

    fn span_id(&self) -> String {
        self.context.span_id()
    }
}

/// Makes a buffer of each output.
#[derive(Default)]
struct Outputs<'a> {
    /// What may be forwarded.
    input: Option<&'a StreamElement<'a>>,
    content_type: RefCell<Option<String>>,
    made: RefCell<Vec<OutputElement>>,
}

impl<'a> Outputs<'a> {
    fn of(input: &'a StreamElement<'a>) -> Outputs<'a> {
        Outputs {
            input: Some(input),
            ..Outputs::default()
        }
    }

    fn add(&self, payload: Buffer) {
        let content_type = self.content_type.borrow().clone();
        let of_input = self.input.map(|input| input.meta.content_type.clone());
        self.made.borrow_mut().push(OutputElement {
            meta: ElementMeta {
                sequence: 0, // the host's own, like the time
                timestamp_ns: 0,
                content_type: content_type.or(of_input).unwrap_or_default(),
            },
            payload,
        });
    }

    /// The one output that a call may have.
    fn into_one(self) -> Result<Option<OutputElement>> {
        let mut made = self.made.into_inner();
        match made.len() {
            0 | 1 => Ok(made.pop()),
            count => Err(Error::internal(format!(
                "{count} outputs of one call: the contract of one element a call takes one; \
                 without `per_element` there may be more"
            ))),
        }
    }
}

fn frozen(buffer: &MutableBuffer) -> Buffer {
    buffer.freeze() // the mutable handle is dropped with its owner
}

impl Writer for Outputs<'_> {
    fn emit(&self, bytes: &[u8], ends: &[u32], _origins: &[u32]) -> Result<(), Refusal> {
        let refusal = |error| match error {
            BufferError::CapacityExceeded | BufferError::OutOfBounds => Refusal::TooLarge,
            BufferError::AllocationFailed(text) => Refusal::NoMemory(text),
        };
        let mut start = 0;
        for end in ends {
            let payload = &bytes[start..*end as usize];
            let buffer = allocate(payload.len() as u64).map_err(refusal)?;
            buffer.append(payload).map_err(refusal)?;
            self.add(frozen(&buffer));
            start = *end as usize;
        }
        Ok(())
    }

    fn forward(&self, indices: &[u32]) {
        let Some(input) = self.input else { return };
        for _ in indices {
            match clone_into_mutable(input.payload) {
                Ok(buffer) => self.add(frozen(&buffer)),
                Err(_) => panic!("the host has no memory to forward an element"),
            }
        }
    }

    fn forward_to(&self, _port: &str, indices: &[u32]) {
        self.forward(indices);
    }

    fn set_content_type(&self, content_type: &str) {
        self.content_type.replace(Some(content_type.to_string()));
    }
}

impl<S: Stage> super::element_processor::exports::torvyn::streaming::processor::Guest for Export<S>
where
    S::Work: work::Process,
{
    fn process(input: StreamElement) -> Result<ProcessResult, ProcessError> {
        let outputs = Outputs::of(&input);
        enter::<S, _>(|stage| work::Process::process(stage, &input, &outputs))?
            .map_err(|failure| failure.error)?;
        Ok(match outputs.into_one()? {
            Some(output) => ProcessResult::Emit(output),
            None => ProcessResult::Drop,
        })
    }
}

impl<S: Stage> super::element_filter::exports::torvyn::filtering::filter::Guest for Export<S>
where
    S::Work: work::Keep,
{
    fn evaluate(element: StreamElement) -> Result<bool, ProcessError> {
        Ok(enter::<S, _>(|stage| work::Keep::keep(stage, &element))??)
    }
}

impl<S: Stage> super::element_router::exports::torvyn::filtering::router::Guest for Export<S>
where
    S::Work: work::Route,
{
    fn route(element: StreamElement) -> Result<Vec<String>, ProcessError> {
        Ok(enter::<S, _>(|stage| {
            work::Route::route_one(stage, &element)
        })??)
    }
}

impl<S: Stage> super::element_sink::exports::torvyn::streaming::sink::Guest for Export<S>
where
    S::Work: work::Push,
{
    fn push(element: StreamElement) -> Result<BackpressureSignal, ProcessError> {
        let pushed = enter::<S, _>(|stage| work::Push::push(stage, &element))?;
        Ok(signal_of(pushed.map_err(|failure| failure.error)?))
    }

    fn complete() -> Result<(), ProcessError> {
        enter::<S, _>(work::Push::complete)??;
        Ok(())
    }
}

impl<S: Stage> super::element_source::exports::torvyn::streaming::source::Guest for Export<S>
where
    S::Work: work::Pull,
{
    fn pull() -> Result<Option<OutputElement>, ProcessError> {
        let outputs = Outputs::default();
        let more = enter::<S, _>(|stage| work::Pull::pull(stage, 1, &outputs))??;
        match outputs.into_one()? {
            // Where that was the last one, the next call says so.
            Some(output) => Ok(Some(output)),
            None if more => Err(ProcessError::Unavailable("nothing yet".to_string())),
            None => Ok(None),
        }
    }

    fn notify_backpressure(signal: BackpressureSignal) {
        super::notify::<S>(signal);
    }
}

impl<S: Stage> super::element_aggregator::exports::torvyn::aggregation::aggregator::Guest
    for Export<S>
where
    S::Work: work::Aggregate,
{
    fn ingest(element: StreamElement) -> Result<Option<OutputElement>, ProcessError> {
        let outputs = Outputs::default();
        enter::<S, _>(|stage| work::Aggregate::ingest(stage, &element, &outputs))?
            .map_err(|failure| failure.error)?;
        Ok(outputs.into_one()?)
    }

    fn flush() -> Result<Vec<OutputElement>, ProcessError> {
        let outputs = Outputs::default();
        while enter::<S, _>(|stage| work::Aggregate::flush(stage, &outputs))?? {}
        Ok(outputs.made.into_inner())
    }
}
