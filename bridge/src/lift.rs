//! The contract's types as the engine lowers and lifts them. Inputs are lowered from borrowed host memory; outputs are lifted without
//! an allocation where the contract allows it.

use std::borrow::Cow;

use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{ComponentType, Lift, Lower, Resource};
use wasmtime::error::{Result, bail};

pub struct Buffer;
pub struct MutableBuffer;
pub struct FlowContext;
pub struct Batch;
pub struct BatchWriter;

/// Longest text kept without an allocation: content types are shorter.
const INLINE_MAX: usize = 64;

/// A string a guest returned, copied out while it is lifted: post-return, which runs before the caller sees the result, may have freed the
/// guest's own.
pub enum GuestText {
    Inline(u8, [u8; INLINE_MAX]),
    Heap(Box<str>),
}

impl GuestText {
    pub const EMPTY: GuestText = GuestText::Inline(0, [0; INLINE_MAX]);

    pub fn bytes(&self) -> &[u8] {
        match self {
            GuestText::Inline(size, bytes) => &bytes[..usize::from(*size)],
            GuestText::Heap(text) => text.as_bytes(),
        }
    }

    /// Nothing where it is too long to be kept without an allocation.
    pub fn inline(text: &str) -> Option<GuestText> {
        let mut inline = [0; INLINE_MAX];
        inline.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(GuestText::Inline(text.len() as u8, inline))
    }

    fn copy(cx: &mut LiftContext<'_>, pointer: usize, size: usize) -> Result<GuestText> {
        if size > INLINE_MAX {
            // Many results may point at the same bytes: what is made of them here counts as what any call makes.
            cx.consume_fuel(size)?;
        }
        let end = pointer.checked_add(size);
        let Some(bytes) = end.and_then(|end| cx.memory().get(pointer..end)) else {
            bail!("string pointer/length out of bounds of memory")
        };
        let text = std::str::from_utf8(bytes)?;
        Ok(GuestText::inline(text).unwrap_or_else(|| GuestText::Heap(text.into())))
    }

    fn is_utf8(cx: &LiftContext<'_>) -> bool {
        use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
        matches!(cx.options().string_encoding, StringEncoding::Utf8)
    }
}

// SAFETY: lifts exactly what `String` lifts, by the same rules: the type check, the ABI and the lowered form are those of `String`.
unsafe impl ComponentType for GuestText {
    type Lower = <String as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <String as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <String as ComponentType>::typecheck(ty, types)
    }
}

unsafe impl Lift for GuestText {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> Result<Self> {
        if !Self::is_utf8(cx) {
            return Ok(GuestText::Heap(String::linear_lift_from_flat(cx, ty, src)?.into()));
        }
        Self::copy(cx, src[0].get_u32() as usize, src[1].get_u32() as usize)
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        if !Self::is_utf8(cx) {
            return Ok(GuestText::Heap(String::linear_lift_from_memory(cx, ty, bytes)?.into()));
        }
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
        Self::copy(cx, word(0), word(4))
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct MetaIn<'a> {
    pub sequence: u64,
    #[component(name = "timestamp-ns")]
    pub timestamp_ns: u64,
    #[component(name = "content-type")]
    pub content_type: &'a str,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub struct ElementIn<'a> {
    pub meta: MetaIn<'a>,
    pub payload: Resource<Buffer>,
    pub context: Resource<FlowContext>,
}

/// Sequence and timestamp are the host's: what the guest wrote is lifted, as the type demands, and not looked at.
#[derive(ComponentType, Lift)]
#[component(record)]
pub struct MetaOut {
    pub sequence: u64,
    #[component(name = "timestamp-ns")]
    pub timestamp_ns: u64,
    #[component(name = "content-type")]
    pub content_type: GuestText,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct ElementOut {
    pub meta: MetaOut,
    pub payload: Resource<Buffer>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum ProcessResult {
    #[component(name = "emit")]
    Emit(ElementOut),
    #[component(name = "drop")]
    Drop,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum ProcessError {
    #[component(name = "invalid-input")]
    InvalidInput(String),
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "internal")]
    Internal(String),
    #[component(name = "deadline-exceeded")]
    DeadlineExceeded,
    #[component(name = "fatal")]
    Fatal(String),
}

impl ProcessError {
    /// The index of the case and its text.
    pub fn into_parts(self) -> (u32, String) {
        match self {
            ProcessError::InvalidInput(text) => (0, text),
            ProcessError::Unavailable(text) => (1, text),
            ProcessError::Internal(text) => (2, text),
            ProcessError::DeadlineExceeded => (3, String::new()),
            ProcessError::Fatal(text) => (4, text),
        }
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct BatchError {
    pub index: u32,
    pub error: ProcessError,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
pub enum BufferError {
    #[component(name = "capacity-exceeded")]
    CapacityExceeded,
    #[component(name = "out-of-bounds")]
    OutOfBounds,
    #[component(name = "allocation-failed")]
    AllocationFailed(String),
}

#[derive(ComponentType, Lower)]
#[component(variant)]
pub enum EmitError {
    #[component(name = "capacity-exceeded")]
    CapacityExceeded,
    #[component(name = "allocation-failed")]
    AllocationFailed(String),
}

#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub enum Signal {
    #[component(name = "ready")]
    Ready,
    #[component(name = "pause")]
    Pause,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "lifted by discriminant")]
pub enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

/// All payloads of a run, lowered straight from host memory.
#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Packed {
    pub bytes: &'static [u8],
    pub ends: &'static [u32],
}

/// The same with `ends` as bytes.
#[derive(ComponentType, Lower)]
#[component(record)]
pub struct PackedBytes {
    pub bytes: &'static [u8],
    pub ends: &'static [u8],
}

/// Numbers as bytes, four each: as they lie in memory, here as in every guest.
pub fn bytes_of_words(words: &[u32]) -> &[u8] {
    // SAFETY: of numbers any byte may be read.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), size_of_val(words)) }
}

/// Numbers that were given as bytes; copied only where they do not lie as numbers do.
pub fn words_of_bytes(bytes: &[u8]) -> Result<Cow<'_, [u32]>> {
    if bytes.len() % 4 != 0 {
        bail!("{} bytes are no numbers of four bytes each", bytes.len())
    }
    // SAFETY: any four bytes are a number.
    let (head, words, _) = unsafe { bytes.align_to::<u32>() };
    if head.is_empty() {
        return Ok(Cow::Borrowed(words));
    }
    let copied = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    Ok(Cow::Owned(copied.collect()))
}
