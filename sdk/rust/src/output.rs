//! What goes out. Outputs of a call are put together and handed to the host in one piece where that can be: its copy, and its call, then
//! serve the whole run.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut, Range};

use crate::host::{Packed, Refusal, Writer};
use crate::run::{Element, Run};
use crate::{Error, Result, RunError};

/// What waits is handed over beyond this: a stage that makes much of little needs no memory for all of it.
const PENDING_BYTES_MAX: usize = 1 << 20;
const PENDING_OUTPUTS_MAX: usize = 1 << 16;
/// Storage up to this size is kept for the next call.
const KEPT_BYTES_MAX: usize = 4 * PENDING_BYTES_MAX;

/// Takes what a stage makes of one element: nothing, one output or many. Outputs keep their order.
pub struct Output<'a> {
    writer: &'a dyn Writer,
    /// Inputs of the call, where outputs are charged to them: not so for sources and aggregators.
    inputs: Option<usize>,
    /// Whose content types outputs have where nothing else is said.
    run: Option<&'a Run<'a>>,
    current: usize,
    pending: Pending,
    /// What the stage asks for in the outputs that follow, if it does. The text's storage is kept from element to element.
    content_type: String,
    asks_content_type: bool,
    /// What the host was told in this call. It cannot be taken back, only replaced.
    told_content_type: Option<String>,
    /// Outputs that may still leave in this call; what is beyond waits in `held`.
    room: usize,
    held: Held,
    /// A piece of this call went out, so `origins` can no longer be left out.
    handed_over: bool,
    emitted: usize,
    emitted_bytes: usize,
    failed: Option<RunError>,
}

impl<'a> Output<'a> {
    /// Outputs are charged to elements of `run`.
    pub(crate) fn of_run(writer: &'a dyn Writer, run: &'a Run<'a>) -> Output<'a> {
        let mut out = Output::new(writer, Some(run.len()));
        out.run = Some(run);
        out
    }

    pub(crate) fn uncharged(writer: &'a dyn Writer) -> Output<'a> {
        Output::new(writer, None)
    }

    /// As `uncharged`, of at most `room` outputs: first those that are held from before.
    pub(crate) fn limited(writer: &'a dyn Writer, room: usize, held: &mut Held) -> Output<'a> {
        let mut out = Output::new(writer, None);
        out.room = room;
        held.replay(&mut out);
        out.begin(0);
        out
    }

    fn new(writer: &'a dyn Writer, inputs: Option<usize>) -> Output<'a> {
        Output {
            writer,
            inputs,
            run: None,
            current: 0,
            pending: Pending::take(),
            content_type: String::new(),
            asks_content_type: false,
            told_content_type: None,
            room: usize::MAX,
            held: Held::default(),
            handed_over: false,
            emitted: 0,
            emitted_bytes: 0,
            failed: None,
        }
    }

    /// An output with these bytes: a slice, a `Vec`, a `String`, an array.
    pub fn emit(&mut self, bytes: impl AsRef<[u8]>) {
        self.emit_with(|payload| payload.extend_from_slice(bytes.as_ref()));
    }

    /// An output that is written where it will leave from, which spares a copy: `out.emit_with(|payload| write!(payload, "{count} {word}"))`.
    pub fn emit_with<T>(&mut self, write: impl FnOnce(&mut Payload<'_>) -> T) -> T {
        self.prepare_emit();
        let start = self.pending.bytes.len();
        let made = write(&mut Payload {
            bytes: &mut self.pending.bytes,
            start,
        });
        self.emitted += 1;
        self.emitted_bytes += self.pending.bytes.len() - start;
        self.pending.close_output(self.current);
        if self.pending.is_full() {
            self.hand_over();
        }
        made
    }

    /// Passes the element on as it is, payload and meta, with no copy.
    pub fn forward(&mut self, input: &Element) {
        self.forward_index(input.index());
    }

    fn forward_index(&mut self, index: usize) {
        if !self.pending.ends.is_empty() {
            self.hand_over();
        }
        self.pending.forwards.push(index as u32);
    }

    /// One output for each input, packed as the host gave them.
    fn emit_packed(&mut self, packed: &Packed) {
        self.prepare_emit();
        self.hand_over();
        if self.failed.is_none() {
            self.failed = self.emit_whole_run(&packed.bytes, &packed.ends).err();
        }
        self.handed_over = true;
    }

    /// The content type of the outputs that follow for this element. Unless it is called they have their input's; those of
    /// sources and aggregators none.
    pub fn set_content_type(&mut self, content_type: &str) {
        self.asks_content_type = true;
        self.content_type.clear();
        self.content_type.push_str(content_type);
    }

    fn prepare_emit(&mut self) {
        if !self.pending.forwards.is_empty() {
            self.hand_over();
        }
        let wanted = match (self.asks_content_type, &self.told_content_type, self.run) {
            (true, _, _) => self.content_type.as_str(),
            (false, None, _) => return,
            // An earlier element of the run set one; this one wants its own input's.
            (false, Some(_), Some(run)) => run.content_type(self.current),
            (false, Some(_), None) => "",
        };
        if self.told_content_type.as_deref() == Some(wanted) {
            return;
        }
        let wanted = wanted.to_string();
        if !self.pending.ends.is_empty() {
            self.hand_over();
        }
        self.writer.set_content_type(&wanted);
        self.told_content_type = Some(wanted);
    }

    /// What follows is of the run's element `index`, with nothing asked for yet.
    pub(crate) fn begin(&mut self, index: usize) {
        self.current = index;
        self.asks_content_type = false;
    }

    pub(crate) fn failure(&mut self) -> Option<RunError> {
        self.failed.take()
    }

    /// Whether this call has what it may have.
    pub(crate) fn is_filled(&self, bytes_max: usize) -> bool {
        self.pending.ends.len() >= self.room || self.emitted_bytes >= bytes_max
    }

    /// Whether anything leaves with this call.
    pub(crate) fn has_outputs(&self) -> bool {
        self.handed_over || !self.pending.is_empty()
    }

    /// Outputs of this call so far.
    pub(crate) fn emitted(&self) -> usize {
        self.emitted
    }

    /// Ends a call of `limited`. What had no room is left in `held`.
    pub(crate) fn finish_limited(mut self, held: &mut Held) -> Result<()> {
        let finished = self.finish_uncharged();
        held.pieces
            .splice(0..0, std::mem::take(&mut self.held).pieces);
        finished
    }

    /// Forgets what waits for element `index`: the host would not take it.
    pub(crate) fn forget(&mut self, index: usize) {
        self.pending.forget(index);
    }

    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        self.hand_over();
        self.failed.take().map_or(Ok(()), Err)
    }

    /// As `finish`, where no element is to blame.
    pub(crate) fn finish_uncharged(&mut self) -> Result<()> {
        self.finish().map_err(|failure| failure.error)
    }

    fn hand_over(&mut self) {
        let pending = &self.pending;
        if self.failed.is_none() && !pending.forwards.is_empty() {
            self.writer.forward(&pending.forwards);
        }
        let outputs = pending.ends.len().min(self.room);
        if self.failed.is_none() && outputs != 0 {
            let one_each = pending.one_to_one && self.inputs == Some(pending.ends.len());
            let whole_run = one_each && !self.handed_over;
            let emitted = if whole_run {
                self.emit_whole_run(&pending.bytes, &pending.ends)
            } else {
                self.emit_pieces(&pending.bytes, &pending.ends, &pending.origins, 0..outputs)
            };
            self.failed = emitted.err();
        }
        if outputs < pending.ends.len() {
            self.held
                .pieces
                .push(Piece::behind(outputs, pending, &self.told_content_type));
        }
        self.room -= outputs;
        self.handed_over |= !pending.is_empty();
        self.pending.clear();
    }

    /// One output for every input.
    fn emit_whole_run(&self, bytes: &[u8], ends: &[u32]) -> Result<(), RunError> {
        match self.writer.emit(bytes, ends, &[]) {
            Err(Refusal::TooLarge) => {
                let origins: Vec<u32> = (0..ends.len() as u32).collect();
                self.emit_pieces(bytes, ends, &origins, 0..ends.len())
            }
            emitted => emitted.map_err(|refusal| refused(refusal, bytes.len()).at(0)),
        }
    }

    /// Outputs `range`, in one piece, or where that is more than a buffer of the host holds, in two and so on. The error is
    /// about the input whose output did not fit.
    fn emit_pieces(
        &self,
        bytes: &[u8],
        ends: &[u32],
        origins: &[u32],
        range: Range<usize>,
    ) -> Result<(), RunError> {
        let start = if range.start == 0 {
            0
        } else {
            ends[range.start - 1]
        };
        let piece = &bytes[start as usize..ends[range.end - 1] as usize];
        let charged = if self.inputs.is_some() {
            &origins[range.clone()]
        } else {
            &[]
        };
        let emitted = if start == 0 {
            self.writer.emit(piece, &ends[range.clone()], charged)
        } else {
            let ends: Vec<u32> = ends[range.clone()].iter().map(|end| end - start).collect();
            self.writer.emit(piece, &ends, charged)
        };
        match emitted {
            Err(Refusal::TooLarge) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                self.emit_pieces(bytes, ends, origins, range.start..middle)?;
                self.emit_pieces(bytes, ends, origins, middle..range.end)
            }
            emitted => emitted
                .map_err(|refusal| refused(refusal, piece.len()).at(origins[range.start] as usize)),
        }
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        std::mem::take(&mut self.pending).give_back();
    }
}

fn refused(refusal: Refusal, bytes: usize) -> Error {
    Error::Internal(match refusal {
        Refusal::TooLarge => {
            format!("an output of {bytes} bytes is larger than the host's largest buffer")
        }
        Refusal::NoMemory(text) => {
            format!("the host has no memory for an output of {bytes} bytes: {text}")
        }
    })
}

/// Takes what a [`BatchProcessor`](crate::BatchProcessor) makes of a whole run; each output is charged to an element of it. Where an order is
/// free, that of the elements is the cheapest.
pub struct RunOutput<'a> {
    output: Output<'a>,
}

impl<'a> RunOutput<'a> {
    pub(crate) fn new(writer: &'a dyn Writer, inputs: usize) -> RunOutput<'a> {
        RunOutput {
            output: Output::new(writer, Some(inputs)),
        }
    }

    /// An output with these bytes, made of element `index`.
    pub fn emit(&mut self, index: usize, bytes: impl AsRef<[u8]>) {
        self.charge_to(index);
        self.output.emit(bytes);
    }

    /// As [`emit`](RunOutput::emit), written where it will leave from.
    pub fn emit_with<T>(&mut self, index: usize, write: impl FnOnce(&mut Payload<'_>) -> T) -> T {
        self.charge_to(index);
        self.output.emit_with(write)
    }

    /// An output for every element: the run's payloads as they are now, without another copy in the component.
    pub fn emit_run(&mut self, run: &Run) {
        self.charge_to(0);
        self.output.emit_packed(run.packed());
    }

    /// Passes element `index` on as it is, with no copy.
    pub fn forward(&mut self, index: usize) {
        self.charge_to(index);
        self.output.forward_index(index);
    }

    /// The content type of the outputs that follow in this run. Until it is called each has its input's.
    pub fn set_content_type(&mut self, content_type: &str) {
        self.output.set_content_type(content_type);
    }

    fn charge_to(&mut self, index: usize) {
        let inputs = self.output.inputs.unwrap_or(0);
        assert!(
            index < inputs,
            "an output of element {index} of a run of {inputs}"
        );
        if index < self.output.current {
            self.output.hand_over(); // the contract wants no falling indices within one piece
        }
        self.output.current = index;
    }

    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        self.output.finish()
    }
}

/// What is put together before it is handed over: outputs or forwarded inputs, never both.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    origins: Vec<u32>,
    forwards: Vec<u32>,
    one_to_one: bool,
}

thread_local! {
    /// Its storage, kept between calls.
    static SPARE: RefCell<Option<Pending>> = const { RefCell::new(None) };
}

impl Pending {
    fn take() -> Pending {
        let mut pending = SPARE.take().unwrap_or_default();
        pending.clear();
        pending
    }

    fn give_back(self) {
        if self.bytes.capacity() <= KEPT_BYTES_MAX {
            SPARE.set(Some(self));
        }
    }

    fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.forwards.is_empty()
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= PENDING_BYTES_MAX || self.ends.len() >= PENDING_OUTPUTS_MAX
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.origins.clear();
        self.forwards.clear();
        self.one_to_one = true;
    }

    fn close_output(&mut self, origin: usize) {
        self.one_to_one &= origin == self.ends.len();
        self.ends.push(self.bytes.len() as u32);
        self.origins.push(origin as u32);
    }

    fn forget(&mut self, index: usize) {
        let kept = self
            .origins
            .partition_point(|origin| (*origin as usize) < index);
        self.origins.truncate(kept);
        self.ends.truncate(kept);
        self.bytes
            .truncate(self.ends.last().map_or(0, |end| *end as usize));
        let kept = self
            .forwards
            .partition_point(|forward| (*forward as usize) < index);
        self.forwards.truncate(kept);
    }
}

/// Outputs that a later call takes: a source was asked for fewer, or there are more than one call may give.
#[derive(Default)]
pub(crate) struct Held {
    pieces: Vec<Piece>,
}

struct Piece {
    content_type: Option<String>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Piece {
    fn behind(outputs: usize, pending: &Pending, content_type: &Option<String>) -> Piece {
        let start = if outputs == 0 {
            0
        } else {
            pending.ends[outputs - 1]
        };
        Piece {
            content_type: content_type.clone(),
            bytes: pending.bytes[start as usize..].to_vec(),
            ends: pending.ends[outputs..]
                .iter()
                .map(|end| end - start)
                .collect(),
        }
    }

    fn replay(&self, out: &mut Output) {
        out.begin(0);
        if let Some(content_type) = &self.content_type {
            out.set_content_type(content_type);
        }
        let mut start = 0;
        for end in &self.ends {
            out.emit(&self.bytes[start..*end as usize]);
            start = *end as usize;
        }
    }
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Pieces that find no room are not touched; what is left of the last one is held by `out`.
    fn replay(&mut self, out: &mut Output) {
        let mut replayed = 0;
        for piece in &self.pieces {
            if out.is_filled(usize::MAX) {
                break;
            }
            piece.replay(out);
            replayed += 1;
        }
        self.pieces.drain(..replayed);
    }
}

/// One output while it is written. Dereferences to what it has so far.
pub struct Payload<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
}

impl Payload<'_> {
    pub fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What `write!` calls. Nothing can fail here, so there is no result to look at.
    pub fn write_fmt(&mut self, arguments: fmt::Arguments<'_>) {
        // A `Display` that fails is the only way: what it wrote until then stands, as with `println!`.
        let _ = std::io::Write::write_fmt(self.bytes, arguments);
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl DerefMut for Payload<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }
}
