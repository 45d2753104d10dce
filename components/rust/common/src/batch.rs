//! Emitting the outputs of a run, in one piece or, where that is more than the host's largest buffer holds, in several.

use std::ops::Range;

/// Why the host did not take outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    TooLarge,
    NoMemory,
}

impl Refusal {
    pub fn text(self) -> &'static str {
        match self {
            Refusal::TooLarge => "the output is larger than a buffer can be",
            Refusal::NoMemory => "the host has no memory for the output",
        }
    }
}

/// Emits outputs `range`, output `i` charged to input `i`. `emit` gets bytes, ends and origins. The error names the
/// output that did not fit.
pub fn emit_outputs(
    bytes: &[u8],
    ends: &[u32],
    range: Range<usize>,
    emit: &mut impl FnMut(&[u8], &[u32], &[u32]) -> Result<(), Refusal>,
) -> Result<(), (u32, Refusal)> {
    if range.is_empty() {
        return Ok(());
    }
    let start = if range.start == 0 { 0 } else { ends[range.start - 1] };
    let stop = ends[range.end - 1];
    let piece_ends: Vec<u32> = ends[range.clone()].iter().map(|end| end - start).collect();
    let origins: Vec<u32> = range.clone().map(|index| index as u32).collect();
    match emit(&bytes[start as usize..stop as usize], &piece_ends, &origins) {
        Ok(()) => Ok(()),
        Err(Refusal::TooLarge) if range.len() > 1 => {
            let middle = range.start + range.len() / 2;
            emit_outputs(bytes, ends, range.start..middle, emit)?;
            emit_outputs(bytes, ends, middle..range.end, emit)
        }
        Err(refusal) => Err((range.start as u32, refusal)),
    }
}

/// As `emit_outputs`, for a whole run with an output for every input.
pub fn emit_run(
    bytes: &[u8],
    ends: &[u32],
    emit: &mut impl FnMut(&[u8], &[u32], &[u32]) -> Result<(), Refusal>,
) -> Result<(), (u32, Refusal)> {
    match emit(bytes, ends, &[]) {
        Ok(()) => Ok(()),
        Err(_) => emit_outputs(bytes, ends, 0..ends.len(), emit),
    }
}
