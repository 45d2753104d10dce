//! The batch contract: what Torvyn wants to be used.

use super::batching::{Batch, BatchError, BatchWriter, EmitError};
use super::streaming::{BackpressureSignal, ProcessError};
use super::{Export, Stage, enter, signal_of, work};
use crate::Result;
use crate::host::{self, Meta, Metas, Packed, Refusal};

impl host::Batch for Batch {
    fn count(&self) -> usize {
        self.count() as usize
    }

    fn read(&self) -> Packed {
        let packed = self.read();
        Packed {
            bytes: packed.bytes,
            ends: packed.ends,
        }
    }

    fn sizes(&self) -> Vec<u64> {
        self.sizes()
    }

    fn metas(&self) -> Metas {
        let metas = self.metas().into_iter().map(|meta| Meta {
            sequence: meta.sequence,
            timestamp_ns: meta.timestamp_ns,
            deadline_ns: meta.deadline_ns,
            content_type: meta.content_type as usize,
        });
        Metas {
            metas: metas.collect(),
            content_types: self.content_types(),
        }
    }

    fn flow_id(&self) -> String {
        self.flow_id()
    }

    fn trace_id(&self, index: usize) -> String {
        self.trace_id(index as u32)
    }

    fn span_id(&self) -> String {
        self.span_id()
    }
}

impl host::Writer for BatchWriter {
    fn emit(&self, bytes: &[u8], ends: &[u32], origins: &[u32]) -> Result<(), Refusal> {
        self.emit(bytes, ends, origins)
            .map_err(|error| match error {
                EmitError::CapacityExceeded => Refusal::TooLarge,
                EmitError::AllocationFailed(text) => Refusal::NoMemory(text),
            })
    }

    fn forward(&self, indices: &[u32]) {
        self.forward(indices);
    }

    fn forward_to(&self, port: &str, indices: &[u32]) {
        self.forward_to(port, indices);
    }

    fn set_content_type(&self, content_type: &str) {
        self.set_content_type(content_type);
    }
}

impl<S: Stage> super::batch_processor::exports::torvyn::batching::batch_processor::Guest
    for Export<S>
where
    S::Work: work::Process,
{
    fn process(input: &Batch, output: &BatchWriter) -> Result<(), BatchError> {
        enter::<S, _>(|stage| work::Process::process(stage, input, output))??;
        Ok(())
    }
}

impl<S: Stage> super::batch_router::exports::torvyn::batching::batch_router::Guest for Export<S>
where
    S::Work: work::Route,
{
    fn route(input: &Batch, output: &BatchWriter) -> Result<(), BatchError> {
        enter::<S, _>(|stage| work::Route::route(stage, input, output))??;
        Ok(())
    }
}

impl<S: Stage> super::batch_sink::exports::torvyn::batching::batch_sink::Guest for Export<S>
where
    S::Work: work::Push,
{
    fn push(input: &Batch) -> Result<BackpressureSignal, BatchError> {
        let is_busy = enter::<S, _>(|stage| work::Push::push(stage, input))??;
        Ok(signal_of(is_busy))
    }

    fn complete() -> Result<(), ProcessError> {
        enter::<S, _>(work::Push::complete)??;
        Ok(())
    }
}

impl<S: Stage> super::batch_source::exports::torvyn::batching::batch_source::Guest for Export<S>
where
    S::Work: work::Pull,
{
    fn pull(max: u32, output: &BatchWriter) -> Result<bool, ProcessError> {
        Ok(enter::<S, _>(|stage| {
            work::Pull::pull(stage, max as usize, output)
        })??)
    }

    fn notify_backpressure(signal: BackpressureSignal) {
        super::notify::<S>(signal);
    }
}

impl<S: Stage> super::batch_aggregator::exports::torvyn::batching::batch_aggregator::Guest
    for Export<S>
where
    S::Work: work::Aggregate,
{
    fn ingest(input: &Batch, output: &BatchWriter) -> Result<(), BatchError> {
        enter::<S, _>(|stage| work::Aggregate::ingest(stage, input, output))??;
        Ok(())
    }

    fn flush(output: &BatchWriter) -> Result<bool, ProcessError> {
        Ok(enter::<S, _>(|stage| {
            work::Aggregate::flush(stage, output)
        })??)
    }
}
