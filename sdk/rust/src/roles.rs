//! What a stage can be, and how each kind works through a run.

use crate::host::{Batch, Writer};
use crate::output::{Held, Output, RunOutput};
use crate::ports::Ports;
use crate::run::{Element, Run};
use crate::settings::Settings;
use crate::{Error, Result, RunError};

/// Makes outputs of elements: [`processor!`](crate::processor).
pub trait Processor: Sized {
    /// Called once, before the first element. Dropped after the last, unless the component died.
    fn new(settings: &Settings) -> Result<Self>;

    /// What it emits before an error does not leave.
    fn process(&mut self, input: &Element, out: &mut Output) -> Result<()>;
}

/// As [`Processor`], a run at a time: [`batch_processor!`](crate::batch_processor).
pub trait BatchProcessor: Sized {
    /// As [`Processor::new`].
    fn new(settings: &Settings) -> Result<Self>;

    /// An error names its element: `error.at(index)`.
    fn process(&mut self, run: &mut Run, out: &mut RunOutput) -> Result<(), RunError>;
}

/// Keeps elements or drops them: [`filter!`](crate::filter).
pub trait Filter: Sized {
    /// As [`Processor::new`].
    fn new(settings: &Settings) -> Result<Self>;

    /// True keeps the element; it is passed on without a copy.
    fn keep(&mut self, input: &Element) -> Result<bool>;
}

/// Sends elements to named ports: [`router!`](crate::router).
pub trait Router: Sized {
    /// As [`Processor::new`].
    fn new(settings: &Settings) -> Result<Self>;

    fn route(&mut self, input: &Element, ports: &mut Ports) -> Result<()>;
}

/// Whether there will be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    More,
    /// The stream ends for good. What was emitted in the same call still counts.
    End,
}

/// Where elements come from: [`source!`](crate::source).
pub trait Source: Sized {
    /// As [`Processor::new`].
    fn new(settings: &Settings) -> Result<Self>;

    /// Emits the next element, or the next few. [`Next::More`] with nothing emitted means "nothing yet": the host asks
    /// again after a while.
    fn pull(&mut self, out: &mut Output) -> Result<Next>;

    /// The flow has become slower (`true`) or may go on. Advice: nothing is lost if it is ignored.
    fn pause(&mut self, _pause: bool) {}

    /// Every element up to the `up_to`-th that this instance gave, counted from 1, has met its fate. Called where the
    /// component was made with `source!(type …, acks)`.
    fn acknowledge(&mut self, _up_to: u64) {}
}

/// Where elements end: [`sink!`](crate::sink).
pub trait Sink: Sized {
    /// As [`Processor::new`].
    fn new(settings: &Settings) -> Result<Self>;

    fn push(&mut self, input: &Element) -> Result<()>;

    /// True asks the host to hold the next elements for a while. Asked after each run.
    fn is_busy(&mut self) -> bool {
        false
    }

    /// Called once after the last element, at orderly ends only: what was held back is to be written now.
    fn complete(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Makes few of many: [`aggregator!`](crate::aggregator).
pub trait Aggregator: Sized {
    /// As [`Processor::new`].
    fn new(settings: &Settings) -> Result<Self>;

    /// Takes one element; may emit results.
    fn ingest(&mut self, input: &Element, out: &mut Output) -> Result<()>;

    /// Called once at the end of the stream: what is still held becomes results.
    fn flush(&mut self, out: &mut Output) -> Result<()>;
}

// ---- how each works through a run: the elements before an error end as if they had been a run of their own ----

pub(crate) fn process(
    work: impl FnMut(&Element, &mut Output) -> Result<()>,
    batch: &dyn Batch,
    writer: &dyn Writer,
) -> Result<(), RunError> {
    let run = Run::new(batch);
    each(&run, &mut Output::of_run(writer, &run), work)
}

/// Calls `work` with one element after the other, up to the first error.
fn each<'a>(
    run: &'a Run<'a>,
    out: &mut Output<'a>,
    mut work: impl FnMut(&Element, &mut Output) -> Result<()>,
) -> Result<(), RunError> {
    for input in run.iter() {
        let index = input.index();
        out.begin(index);
        let worked = work(&input, out);
        if let Some(failure) = out.failure() {
            return Err(failure);
        }
        if let Err(error) = worked {
            out.forget(index);
            out.finish()?;
            return Err(error.at(index));
        }
    }
    out.finish()
}

pub(crate) fn process_run(
    work: impl FnOnce(&mut Run, &mut RunOutput) -> Result<(), RunError>,
    batch: &dyn Batch,
    writer: &dyn Writer,
) -> Result<(), RunError> {
    let mut run = Run::new(batch);
    let mut out = RunOutput::new(writer, run.len());
    let processed = work(&mut run, &mut out);
    match (processed, out.finish()) {
        (Err(error), Err(refused)) if refused.index < error.index => Err(refused),
        (Ok(()), finished) => finished,
        (processed, _) => processed,
    }
}

pub(crate) fn filter(
    mut keep: impl FnMut(&Element) -> Result<bool>,
    batch: &dyn Batch,
    writer: &dyn Writer,
) -> Result<(), RunError> {
    let keep_one = |input: &Element, out: &mut Output| {
        if keep(input)? {
            out.forward(input);
        }
        Ok(())
    };
    process(keep_one, batch, writer)
}

pub(crate) fn route(
    mut route: impl FnMut(&Element, &mut Ports) -> Result<()>,
    batch: &dyn Batch,
    writer: &dyn Writer,
) -> Result<(), RunError> {
    let run = Run::new(batch);
    let mut ports = Ports::default();
    let mut routed = Ok(());
    for input in run.iter() {
        ports.begin(input.index());
        if let Err(error) = route(&input, &mut ports) {
            ports.forget_current();
            routed = Err(error.at(input.index()));
            break;
        }
    }
    ports.finish(writer);
    routed
}

pub(crate) fn push(
    mut push: impl FnMut(&Element) -> Result<()>,
    batch: &dyn Batch,
) -> Result<(), RunError> {
    for input in Run::new(batch).iter() {
        push(&input).map_err(|error| error.at(input.index()))?;
    }
    Ok(())
}

/// A source, with what it has emitted beyond what it was asked for: the contract takes no more than `max` elements a call.
pub(crate) struct Pulled<S> {
    pub(crate) source: S,
    held: Held,
    ended: bool,
    failed: Option<Error>,
}

/// Bytes after which a pull asks for no further element: a run of large ones would only wait in memory.
const PULL_BYTES_MAX: usize = 256 * 1024;

impl<S: Source> Pulled<S> {
    pub(crate) fn new(source: S) -> Pulled<S> {
        Pulled {
            source,
            held: Held::default(),
            ended: false,
            failed: None,
        }
    }

    /// Emits up to `max` elements. False where those were the last.
    pub(crate) fn pull(&mut self, max: usize, writer: &dyn Writer) -> Result<bool> {
        let mut out = Output::limited(writer, max, &mut self.held);
        let mut pulls = 0;
        while !self.ended && self.failed.is_none() && !out.is_filled(PULL_BYTES_MAX) {
            let emitted = out.emitted();
            pulls += 1;
            out.begin(pulls);
            match self.source.pull(&mut out) {
                Ok(Next::End) => self.ended = true,
                Ok(Next::More) if out.emitted() == emitted => break, // nothing yet
                Ok(Next::More) => {}
                Err(error) => {
                    out.forget(pulls);
                    self.failed = Some(error);
                }
            }
        }
        let gives = out.has_outputs();
        out.finish_limited(&mut self.held)?;
        // An error is told alone: outputs of a call that fails would be in doubt.
        if !gives && self.held.is_empty() {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
        }
        Ok(!self.ended || self.failed.is_some() || !self.held.is_empty())
    }
}

/// An aggregator, with those results of `flush` that were too many for one call.
pub(crate) struct Aggregating<A> {
    pub(crate) aggregator: A,
    held: Held,
    flushed: bool,
}

/// Results that one call of `flush` gives.
const FLUSH_OUTPUTS_MAX: usize = 1 << 16;

impl<A: Aggregator> Aggregating<A> {
    pub(crate) fn new(aggregator: A) -> Aggregating<A> {
        Aggregating {
            aggregator,
            held: Held::default(),
            flushed: false,
        }
    }

    pub(crate) fn ingest(
        &mut self,
        batch: &dyn Batch,
        writer: &dyn Writer,
    ) -> Result<(), RunError> {
        let run = Run::new(batch);
        let mut out = Output::uncharged(writer);
        each(&run, &mut out, |input, out| {
            self.aggregator.ingest(input, out)
        })
    }

    /// True asks for another call.
    pub(crate) fn flush(&mut self, writer: &dyn Writer) -> Result<bool> {
        let mut out = Output::limited(writer, FLUSH_OUTPUTS_MAX, &mut self.held);
        if !self.flushed {
            self.flushed = true;
            self.aggregator.flush(&mut out)?;
        }
        out.finish_limited(&mut self.held)?;
        Ok(!self.held.is_empty())
    }
}
