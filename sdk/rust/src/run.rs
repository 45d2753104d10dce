//! What comes in: a run of elements, and one of them.

use std::cell::OnceCell;

use crate::host::{Batch, Meta, Metas, Packed};
use crate::{Error, Result};

/// A run of elements, lent for one call. Nothing is read before it is asked for: a stage that looks at metas alone copies
/// no payload.
pub struct Run<'a> {
    host: &'a dyn Batch,
    count: usize,
    packed: OnceCell<Packed>,
    sizes: OnceCell<Vec<u64>>,
    metas: OnceCell<Metas>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(host: &'a dyn Batch) -> Run<'a> {
        Run {
            host,
            count: host.count(),
            packed: OnceCell::new(),
            sizes: OnceCell::new(),
            metas: OnceCell::new(),
        }
    }

    /// Elements in the run; at least one.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Panics where there is no such element.
    pub fn get(&self, index: usize) -> Element<'_> {
        assert!(
            index < self.count,
            "element {index} of a run of {}",
            self.count
        );
        Element { run: self, index }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Element<'_>> {
        (0..self.count).map(|index| Element { run: self, index })
    }

    /// All payloads back to back; element `i` ends at `ends()[i]`.
    pub fn bytes(&self) -> &[u8] {
        &self.packed().bytes
    }

    /// The same, to change in place. [`RunOutput::emit_run`](crate::RunOutput::emit_run) emits them without another copy.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.packed();
        self.packed
            .get_mut()
            .map_or(&mut [], |packed| &mut packed.bytes)
    }

    pub fn ends(&self) -> &[u32] {
        &self.packed().ends
    }

    pub(crate) fn packed(&self) -> &Packed {
        self.packed.get_or_init(|| self.host.read())
    }

    pub(crate) fn content_type(&self, index: usize) -> &str {
        let content_type = self.meta(index).content_type;
        &self.metas().content_types[content_type]
    }

    fn meta(&self, index: usize) -> &Meta {
        &self.metas().metas[index]
    }

    fn metas(&self) -> &Metas {
        self.metas.get_or_init(|| self.host.metas())
    }
}

/// One element: its bytes and what travels beside them.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    run: &'a Run<'a>,
    index: usize,
}

impl<'a> Element<'a> {
    /// The payload. The first call reads it, and that of the whole run.
    pub fn bytes(&self) -> &'a [u8] {
        let Packed { bytes, ends } = self.run.packed();
        let start = if self.index == 0 {
            0
        } else {
            ends[self.index - 1]
        };
        &bytes[start as usize..ends[self.index] as usize]
    }

    /// The payload as text; [`Error::InvalidInput`] where it is not UTF-8.
    pub fn text(&self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()).map_err(|error| {
            Error::InvalidInput(format!("not UTF-8 at byte {}", error.valid_up_to()))
        })
    }

    /// Bytes in the payload, without reading it.
    pub fn size(&self) -> u64 {
        match self.run.packed.get() {
            Some(_) => self.bytes().len() as u64,
            None => self.run.sizes.get_or_init(|| self.run.host.sizes())[self.index],
        }
    }

    /// Its place in the run, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Number of the element in its flow, from 0.
    pub fn sequence(&self) -> u64 {
        self.run.meta(self.index).sequence
    }

    /// When it came into the flow: nanoseconds since 1970 (Unix time).
    pub fn timestamp_ns(&self) -> u64 {
        self.run.meta(self.index).timestamp_ns
    }

    /// Nanoseconds that remained for this element when the run's metas were first asked for. `None`: no deadline; an
    /// expired one reads 1.
    pub fn deadline_ns(&self) -> Option<u64> {
        Some(self.run.meta(self.index).deadline_ns).filter(|deadline_ns| *deadline_ns != 0)
    }

    /// "" where none was set.
    pub fn content_type(&self) -> &'a str {
        self.run.content_type(self.index)
    }

    /// The flow's name.
    pub fn flow_id(&self) -> String {
        self.run.host.flow_id()
    }

    /// W3C trace id, 32 lower-case hex digits.
    pub fn trace_id(&self) -> String {
        self.run.host.trace_id(self.index)
    }

    /// W3C span id of this call, 16 lower-case hex digits.
    pub fn span_id(&self) -> String {
        self.run.host.span_id()
    }
}
