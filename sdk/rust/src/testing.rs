//! Calls a stage as the host would, under plain `cargo test`: no component, no WebAssembly.
//!
//! ```
//! # use torvyn::prelude::*;
//! # fn shout(input: &Element, out: &mut Output) -> Result<()> {
//! #     out.emit(input.bytes().to_ascii_uppercase());
//! #     Ok(())
//! # }
//! use torvyn::testing;
//!
//! let ran = testing::process(shout, ["one", "two"]);
//! assert_eq!(ran.outputs, ["ONE", "TWO"]);
//! assert_eq!(ran.error, None);
//! ```
//!
//! A type works the same: `testing::process(|input, out| grep.process(input, out), …)`.

use std::cell::{Cell, RefCell};
use std::fmt;

use crate::host::{Batch, Meta, Metas, Packed, Refusal, Writer};
use crate::roles::{self, Aggregating, Pulled};
use crate::settings;
use crate::{
    Aggregator, Element, Output, Ports, Result, Run, RunError, RunOutput, Settings, Source,
};

/// An element to give to a stage: anything of bytes becomes one. Sequences count from 0.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub bytes: Vec<u8>,
    pub content_type: String,
    pub timestamp_ns: u64,
    pub deadline_ns: u64,
}

impl<T: AsRef<[u8]>> From<T> for Input {
    fn from(bytes: T) -> Input {
        Input {
            bytes: bytes.as_ref().to_vec(),
            ..Input::default()
        }
    }
}

impl Input {
    pub fn with_content_type(self, content_type: &str) -> Input {
        Input {
            content_type: content_type.to_string(),
            ..self
        }
    }

    pub fn with_timestamp_ns(self, timestamp_ns: u64) -> Input {
        Input {
            timestamp_ns,
            ..self
        }
    }

    pub fn with_deadline_ns(self, deadline_ns: u64) -> Input {
        Input {
            deadline_ns,
            ..self
        }
    }
}

/// What left a stage. Compares with text and bytes: `assert_eq!(ran.outputs, ["one", "two"])`.
#[derive(Clone, PartialEq, Eq)]
pub struct Emitted {
    pub bytes: Vec<u8>,
    pub content_type: String,
    /// The input it is charged to; none for sources and aggregators.
    pub origin: Option<usize>,
    /// "output", but for routers.
    pub port: String,
}

impl fmt::Debug for Emitted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.bytes), out)
    }
}

impl PartialEq<&str> for Emitted {
    fn eq(&self, text: &&str) -> bool {
        self.bytes == text.as_bytes()
    }
}

impl PartialEq<String> for Emitted {
    fn eq(&self, text: &String) -> bool {
        self.bytes == text.as_bytes()
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Emitted {
    fn eq(&self, bytes: &&[u8; N]) -> bool {
        self.bytes == *bytes
    }
}

/// What came of a run. Outputs are those that the host would pass on: with an error, those of the elements before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub outputs: Vec<Emitted>,
    pub error: Option<RunError>,
}

impl Outcome {
    /// The outputs of one port of a router.
    pub fn at_port(&self, port: &str) -> Vec<&Emitted> {
        self.outputs
            .iter()
            .filter(|output| output.port == port)
            .collect()
    }
}

/// Makes a stage as the host does, from `config` as it stands in a pipeline's component: JSON, or bare text. Settings that it does not
/// know are refused: `testing::init(Grep::new, r#"{"pattern": "ERR"}"#)`.
pub fn init<T>(new: impl FnOnce(&Settings) -> Result<T>, config: &str) -> Result<T> {
    settings::init(new, config)
}

/// Runs a processor over `inputs`, in one run.
pub fn process<I: Into<Input>>(
    work: impl FnMut(&Element, &mut Output) -> Result<()>,
    inputs: impl IntoIterator<Item = I>,
) -> Outcome {
    TestRun::of(inputs).outcome_of(|batch, writer| roles::process(work, batch, writer))
}

/// Runs a batch processor over `inputs`, in one run.
pub fn process_run<I: Into<Input>>(
    work: impl FnOnce(&mut Run, &mut RunOutput) -> Result<(), RunError>,
    inputs: impl IntoIterator<Item = I>,
) -> Outcome {
    TestRun::of(inputs).outcome_of(|batch, writer| roles::process_run(work, batch, writer))
}

/// Runs a filter over `inputs`; the outputs are those it keeps.
pub fn filter<I: Into<Input>>(
    keep: impl FnMut(&Element) -> Result<bool>,
    inputs: impl IntoIterator<Item = I>,
) -> Outcome {
    TestRun::of(inputs).outcome_of(|batch, writer| roles::filter(keep, batch, writer))
}

/// Runs a router over `inputs`; each output says its port.
pub fn route<I: Into<Input>>(
    route: impl FnMut(&Element, &mut Ports) -> Result<()>,
    inputs: impl IntoIterator<Item = I>,
) -> Outcome {
    TestRun::of(inputs).outcome_of(|batch, writer| roles::route(route, batch, writer))
}

/// Gives `inputs` to a sink. The error, if there was one, names its element.
pub fn push<I: Into<Input>>(
    push: impl FnMut(&Element) -> Result<()>,
    inputs: impl IntoIterator<Item = I>,
) -> Result<(), RunError> {
    roles::push(push, &TestRun::of(inputs))
}

/// Pulls a source dry: until it ends, has nothing for now, or fails.
pub fn pull(source: impl Source) -> (Vec<Emitted>, Result<()>) {
    let mut pulled = Pulled::new(source);
    let run = TestRun::default();
    loop {
        let before = run.emitted();
        match pulled.pull(PULL_MAX, &run) {
            Ok(true) if run.emitted() > before => {}
            Ok(_) => return (run.outputs.take(), Ok(())),
            Err(error) => return (run.outputs.take(), Err(error)),
        }
    }
}

/// Elements asked for in one call, as the host does unless told otherwise.
const PULL_MAX: usize = 64;

/// Gives `inputs` to an aggregator and ends the stream. Outputs are those of `ingest` and `flush`, in order.
pub fn aggregate<I: Into<Input>>(
    aggregator: impl Aggregator,
    inputs: impl IntoIterator<Item = I>,
) -> Outcome {
    let mut aggregating = Aggregating::new(aggregator);
    let inputs = TestRun {
        charged: false,
        ..TestRun::of(inputs)
    };
    let mut outcome = inputs.outcome_of(|batch, writer| aggregating.ingest(batch, writer));
    let run = TestRun::default();
    while outcome.error.is_none() {
        match aggregating.flush(&run) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => outcome.error = Some(error.at(inputs.inputs.len())),
        }
    }
    outcome.outputs.append(&mut run.outputs.borrow_mut());
    outcome
}

/// A run and a writer as the host makes them, with the same rules.
pub(crate) struct TestRun {
    inputs: Vec<Input>,
    charged: bool,
    /// No call may emit more.
    pub(crate) buffer_bytes_max: usize,
    pub(crate) is_out_of_memory: bool,
    outputs: RefCell<Vec<Emitted>>,
    content_type: RefCell<Option<String>>,
    pub(crate) reads: Cell<usize>,
    pub(crate) emits: Cell<usize>,
}

impl Default for TestRun {
    fn default() -> TestRun {
        TestRun {
            inputs: Vec::new(),
            charged: false,
            buffer_bytes_max: 16 << 20,
            is_out_of_memory: false,
            outputs: RefCell::default(),
            content_type: RefCell::default(),
            reads: Cell::new(0),
            emits: Cell::new(0),
        }
    }
}

impl TestRun {
    pub(crate) fn of<I: Into<Input>>(inputs: impl IntoIterator<Item = I>) -> TestRun {
        TestRun {
            inputs: inputs.into_iter().map(Into::into).collect(),
            charged: true,
            ..TestRun::default()
        }
    }

    pub(crate) fn emitted(&self) -> usize {
        self.outputs.borrow().len()
    }

    pub(crate) fn outcome_of(
        &self,
        work: impl FnOnce(&dyn Batch, &dyn Writer) -> Result<(), RunError>,
    ) -> Outcome {
        assert!(!self.inputs.is_empty(), "a run has at least one element");
        let error = work(self, self).err();
        let mut outputs = self.outputs.take();
        if let Some(error) = &error {
            assert!(
                error.index < self.inputs.len(),
                "an error about no element of the run"
            );
            outputs.retain(|output| output.origin.is_none_or(|origin| origin < error.index));
        }
        Outcome { outputs, error }
    }
}

fn check_indices(indices: &[u32], count: usize) {
    assert!(indices.is_sorted(), "indices fall: {indices:?}");
    let inside = indices.iter().all(|index| (*index as usize) < count);
    assert!(inside, "indices leave the run: {indices:?}");
}

impl Batch for TestRun {
    fn count(&self) -> usize {
        self.inputs.len()
    }

    fn read(&self) -> Packed {
        self.reads.set(self.reads.get() + 1);
        let mut packed = Packed::default();
        for input in &self.inputs {
            packed.bytes.extend_from_slice(&input.bytes);
            packed.ends.push(packed.bytes.len() as u32);
        }
        packed
    }

    fn sizes(&self) -> Vec<u64> {
        self.inputs
            .iter()
            .map(|input| input.bytes.len() as u64)
            .collect()
    }

    fn metas(&self) -> Metas {
        let meta = |(index, input): (usize, &Input)| Meta {
            sequence: index as u64,
            timestamp_ns: input.timestamp_ns,
            deadline_ns: input.deadline_ns,
            content_type: index,
        };
        Metas {
            metas: self.inputs.iter().enumerate().map(meta).collect(),
            content_types: self
                .inputs
                .iter()
                .map(|input| input.content_type.clone())
                .collect(),
        }
    }

    fn flow_id(&self) -> String {
        "test".to_string()
    }

    fn trace_id(&self, index: usize) -> String {
        format!("{index:032x}")
    }

    fn span_id(&self) -> String {
        format!("{:016x}", 1)
    }
}

impl Writer for TestRun {
    fn emit(&self, bytes: &[u8], ends: &[u32], origins: &[u32]) -> Result<(), Refusal> {
        assert!(ends.is_sorted(), "ends fall: {ends:?}");
        assert_eq!(
            ends.last().map_or(0, |end| *end as usize),
            bytes.len(),
            "where it ends"
        );
        if origins.is_empty() {
            let wanted = if self.charged {
                self.inputs.len()
            } else {
                ends.len()
            };
            assert_eq!(ends.len(), wanted, "outputs without origins");
        } else {
            assert_eq!(origins.len(), ends.len(), "an origin for each output");
            check_indices(origins, self.inputs.len());
        }
        self.emits.set(self.emits.get() + 1);
        if bytes.len() > self.buffer_bytes_max {
            return Err(Refusal::TooLarge);
        }
        if self.is_out_of_memory {
            return Err(Refusal::NoMemory("as told".to_string()));
        }
        let mut start = 0;
        for (index, end) in ends.iter().enumerate() {
            let origin = origins.get(index).map_or(index, |origin| *origin as usize);
            let origin = Some(origin).filter(|_| self.charged);
            let own_type = self.content_type.borrow().clone();
            let input_type = origin.map(|origin| self.inputs[origin].content_type.clone());
            self.outputs.borrow_mut().push(Emitted {
                bytes: bytes[start..*end as usize].to_vec(),
                content_type: own_type.or(input_type).unwrap_or_default(),
                origin,
                port: "output".to_string(),
            });
            start = *end as usize;
        }
        Ok(())
    }

    fn forward(&self, indices: &[u32]) {
        self.forward_to("output", indices);
    }

    fn forward_to(&self, port: &str, indices: &[u32]) {
        check_indices(indices, self.inputs.len());
        let forwarded = indices.iter().map(|index| {
            let input = &self.inputs[*index as usize];
            Emitted {
                bytes: input.bytes.clone(),
                content_type: input.content_type.clone(),
                origin: Some(*index as usize),
                port: port.to_string(),
            }
        });
        self.outputs.borrow_mut().extend(forwarded);
    }

    fn set_content_type(&self, content_type: &str) {
        self.content_type.replace(Some(content_type.to_string()));
    }
}

#[cfg(test)]
mod tests;
