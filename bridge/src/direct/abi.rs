//! The canonical ABI of exactly the contract's types: 32-bit memories, strings in UTF-8.
//!
//! What a guest gives is lifted from its memory by `Lift`; what it is given `imports` and `calls` write there. Offsets follow from the types'
//! sizes and alignments alone, so that each type says only what it consists of.

use wasmtime::component::Resource;
use wasmtime::{Error, Result, bail};

use super::handles::{Handles, Kind};
use super::memory::same;
use crate::lift::{Batch, BatchError, BatchWriter, Buffer, ElementOut, GuestText, MetaOut, ProcessError, Signal};

/// Bytes that one call may have the host copy: the engine's own figure for its typed calls.
const COPIED_MAX: usize = 128 << 20;

#[cold]
fn copied_too_much() -> Error {
    Error::msg("too much data is being copied between the host and the guest: its fuel for one call is used up")
}

const fn aligned(at: usize, align: usize) -> usize {
    at.next_multiple_of(align)
}

const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// Longest content type kept without an allocation: all that a component may give are shorter.
const LAST_TEXT_MAX: usize = 255;

/// The content type that was lifted last. Most outputs have the one of the output before: then it is neither checked nor copied again.
pub struct LastText {
    size: u8,
    bytes: [u8; LAST_TEXT_MAX],
}

impl Default for LastText {
    fn default() -> LastText {
        LastText {
            size: 0,
            bytes: [0; LAST_TEXT_MAX],
        }
    }
}

impl LastText {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }
}

/// The content type of one output.
pub enum ContentType {
    /// What the instance keeps as its last one.
    Last,
    Long(Box<str>),
}

/// What one call gives to be passed on. Sequence and timestamp are the host's: they are not looked at.
pub struct Emitted {
    pub content_type: ContentType,
    pub payload_rep: u32,
}

pub enum Processed {
    Emit(Emitted),
    Drop,
}

/// A guest's memory while what one call gave is read from it.
pub struct Source<'a> {
    memory: &'a [u8],
    handles: &'a mut Handles,
    content_type: &'a mut LastText,
    left: usize,
}

impl<'a> Source<'a> {
    pub fn new(memory: &'a [u8], handles: &'a mut Handles, content_type: &'a mut LastText) -> Source<'a> {
        Source {
            memory,
            handles,
            content_type,
            left: COPIED_MAX,
        }
    }

    /// The value that a function's result points to.
    #[inline]
    pub fn result<T: Lift>(&mut self, at: u32) -> Result<T> {
        let at = at as usize;
        if at % T::ALIGN != 0 {
            bail!("return pointer not aligned")
        }
        if at + T::SIZE > self.memory.len() {
            bail!("pointer out of bounds of memory")
        }
        T::lift(self, at)
    }

    fn spend(&mut self, bytes: Option<usize>) -> Result<()> {
        let Some(left) = bytes.and_then(|bytes| self.left.checked_sub(bytes)) else {
            return Err(copied_too_much());
        };
        self.left = left;
        Ok(())
    }

    #[inline]
    fn u32(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.memory[at..at + 4]);
        u32::from_le_bytes(bytes)
    }

    #[inline]
    fn discriminant(&self, at: usize, cases: u8) -> Result<u8> {
        let found = self.memory[at];
        if found >= cases {
            bail!("invalid discriminant {found}")
        }
        Ok(found)
    }

    /// The buffer whose handle stands at `at` is no longer the guest's.
    #[inline]
    fn take_buffer(&mut self, at: usize) -> Result<u32> {
        let handle = self.u32(at);
        self.handles.take_own(Kind::Buffer, handle)
    }

    /// The bytes of the string or list of bytes whose pointer and length stand at `at`.
    #[inline]
    fn bytes(&self, at: usize) -> Result<&'a [u8]> {
        slice(self.memory, self.u32(at), self.u32(at + 4))
    }
}

/// Bytes of a guest's that it names by pointer and length.
#[inline]
pub fn slice(memory: &[u8], pointer: u32, length: u32) -> Result<&[u8]> {
    let start = pointer as usize;
    match memory.get(start..start + length as usize) {
        Some(bytes) if bytes.len() <= COPIED_MAX => Ok(bytes),
        Some(_) => Err(copied_too_much()),
        None => bail!("list pointer/length out of bounds of memory"),
    }
}

/// As `slice`, of 32-bit numbers: pointer and count.
pub fn words(memory: &[u8], pointer: u32, count: u32) -> Result<&[u32]> {
    if pointer % 4 != 0 {
        bail!("list pointer is not aligned")
    }
    let Some(length) = count.checked_mul(4) else {
        bail!("list pointer/length out of bounds of memory")
    };
    let bytes = slice(memory, pointer, length)?;
    // SAFETY: any four bytes are a number; memories begin at a page, so what is aligned in them is aligned.
    let (head, numbers, tail) = unsafe { bytes.align_to::<u32>() };
    if !head.is_empty() || !tail.is_empty() {
        bail!("list pointer is not aligned")
    }
    Ok(numbers)
}

pub fn text(memory: &[u8], pointer: u32, length: u32) -> Result<&str> {
    Ok(std::str::from_utf8(slice(memory, pointer, length)?)?)
}

/// A type as a guest stores it.
pub trait Lift: Sized {
    const SIZE: usize;
    const ALIGN: usize;
    /// Requires: `at` is aligned, and all of it lies within the memory.
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Self>;
}

impl Lift for () {
    const SIZE: usize = 0;
    const ALIGN: usize = 1;
    #[inline(always)]
    fn lift(_: &mut Source<'_>, _: usize) -> Result<()> {
        Ok(())
    }
}

impl Lift for bool {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<bool> {
        Ok(from.memory[at] != 0)
    }
}

impl Lift for u32 {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;
    fn lift(from: &mut Source<'_>, at: usize) -> Result<u32> {
        Ok(from.u32(at))
    }
}

impl Lift for u64 {
    const SIZE: usize = 8;
    const ALIGN: usize = 8;
    fn lift(from: &mut Source<'_>, at: usize) -> Result<u64> {
        Ok(u64::from(from.u32(at)) | u64::from(from.u32(at + 4)) << 32)
    }
}

impl Lift for Signal {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Signal> {
        let pause = from.discriminant(at, 2)? == 1;
        Ok(if pause { Signal::Pause } else { Signal::Ready })
    }
}

impl Lift for String {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;
    fn lift(from: &mut Source<'_>, at: usize) -> Result<String> {
        let bytes = from.bytes(at)?;
        from.spend(Some(bytes.len()))?;
        Ok(std::str::from_utf8(bytes)?.to_owned())
    }
}

impl Lift for GuestText {
    const SIZE: usize = String::SIZE;
    const ALIGN: usize = String::ALIGN;
    fn lift(from: &mut Source<'_>, at: usize) -> Result<GuestText> {
        let text = std::str::from_utf8(from.bytes(at)?)?;
        let inline = GuestText::inline(text);
        if inline.is_none() {
            // Many results may point at the same bytes.
            from.spend(Some(text.len()))?;
        }
        Ok(inline.unwrap_or_else(|| GuestText::Heap(text.into())))
    }
}

impl Lift for Resource<Buffer> {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Resource<Buffer>> {
        from.take_buffer(at).map(Resource::new_own)
    }
}

/// `$type` as a record of fields in this order.
macro_rules! record {
    ($type:ident { $($field:ident: $kind:ty),* }) => {
        impl Lift for $type {
            const ALIGN: usize = { let align = 1; $(let align = larger(align, <$kind>::ALIGN);)* align };
            const SIZE: usize = {
                let size = 0;
                $(let size = aligned(size, <$kind>::ALIGN) + <$kind>::SIZE;)*
                aligned(size, Self::ALIGN)
            };
            fn lift(from: &mut Source<'_>, at: usize) -> Result<$type> {
                let end = at;
                $(
                    let start = aligned(end, <$kind>::ALIGN);
                    let $field = <$kind>::lift(from, start)?;
                    let end = start + <$kind>::SIZE;
                )*
                let _ = end;
                Ok($type { $($field),* })
            }
        }
    };
}

record!(MetaOut {
    sequence: u64,
    timestamp_ns: u64,
    content_type: GuestText
});
record!(ElementOut { meta: MetaOut, payload: Resource<Buffer> });
record!(BatchError {
    index: u32,
    error: ProcessError
});

/// Where the payload of a variant begins, by its alignment; the discriminant is a byte.
const fn payload_at(align: usize) -> usize {
    aligned(1, align)
}

/// A variant whose largest payload has this size and alignment.
const fn variant_size(size: usize, align: usize) -> usize {
    aligned(payload_at(align) + size, align)
}

impl<T: Lift> Lift for Option<T> {
    const ALIGN: usize = T::ALIGN;
    const SIZE: usize = variant_size(T::SIZE, T::ALIGN);
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Option<T>> {
        match from.discriminant(at, 2)? {
            0 => Ok(None),
            _ => T::lift(from, at + payload_at(Self::ALIGN)).map(Some),
        }
    }
}

impl<T: Lift, E: Lift> Lift for std::result::Result<T, E> {
    const ALIGN: usize = larger(T::ALIGN, E::ALIGN);
    const SIZE: usize = variant_size(larger(T::SIZE, E::SIZE), Self::ALIGN);
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Self> {
        let payload = at + payload_at(Self::ALIGN);
        match from.discriminant(at, 2)? {
            0 => T::lift(from, payload).map(Ok),
            _ => E::lift(from, payload).map(Err),
        }
    }
}

impl Lift for ContentType {
    const SIZE: usize = String::SIZE;
    const ALIGN: usize = String::ALIGN;
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<ContentType> {
        let bytes = from.bytes(at)?;
        if same(bytes, from.content_type.bytes()) {
            return Ok(ContentType::Last);
        }
        let text = std::str::from_utf8(bytes)?;
        let last = &mut *from.content_type;
        let Some(kept) = last.bytes.get_mut(..text.len()) else {
            from.spend(Some(text.len()))?;
            return Ok(ContentType::Long(text.into()));
        };
        kept.copy_from_slice(text.as_bytes());
        last.size = text.len() as u8;
        Ok(ContentType::Last)
    }
}

impl Lift for Emitted {
    const SIZE: usize = ElementOut::SIZE;
    const ALIGN: usize = ElementOut::ALIGN;
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Emitted> {
        Ok(Emitted {
            content_type: ContentType::lift(from, at + MetaOut::SIZE - ContentType::SIZE)?,
            payload_rep: from.take_buffer(at + MetaOut::SIZE)?,
        })
    }
}

impl Lift for Processed {
    const SIZE: usize = variant_size(Emitted::SIZE, Emitted::ALIGN);
    const ALIGN: usize = Emitted::ALIGN;
    #[inline(always)]
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Processed> {
        match from.discriminant(at, 2)? {
            0 => Emitted::lift(from, at + payload_at(Self::ALIGN)).map(Processed::Emit),
            _ => Ok(Processed::Drop),
        }
    }
}

impl Lift for ProcessError {
    const ALIGN: usize = String::ALIGN;
    const SIZE: usize = variant_size(String::SIZE, String::ALIGN);
    fn lift(from: &mut Source<'_>, at: usize) -> Result<ProcessError> {
        let text = at + payload_at(Self::ALIGN);
        Ok(match from.discriminant(at, 5)? {
            0 => ProcessError::InvalidInput(String::lift(from, text)?),
            1 => ProcessError::Unavailable(String::lift(from, text)?),
            2 => ProcessError::Internal(String::lift(from, text)?),
            3 => ProcessError::DeadlineExceeded,
            _ => ProcessError::Fatal(String::lift(from, text)?),
        })
    }
}

impl<T: Lift> Lift for Vec<T> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;
    fn lift(from: &mut Source<'_>, at: usize) -> Result<Vec<T>> {
        let (start, count) = (from.u32(at) as usize, from.u32(at + 4) as usize);
        let end = count.checked_mul(T::SIZE).and_then(|size| start.checked_add(size));
        if end.is_none_or(|end| end > from.memory.len()) {
            bail!("list pointer/length out of bounds of memory")
        }
        if start % T::ALIGN != 0 {
            bail!("list pointer is not aligned")
        }
        from.spend(count.checked_mul(size_of::<T>()))?;
        let mut values = Vec::with_capacity(count);
        for index in 0..count {
            values.push(T::lift(from, start + index * T::SIZE)?);
        }
        Ok(values)
    }
}

// What the contract's functions give, as they are laid out by the figures of the specification.
type Answer<T, E = ProcessError> = std::result::Result<T, E>;
const _: () = {
    assert!(ElementOut::SIZE == 32 && ElementOut::ALIGN == 8);
    assert!(<Answer<()>>::SIZE == 16 && <Answer<()>>::ALIGN == 4);
    assert!(MetaOut::SIZE == 24 && MetaOut::ALIGN == 8);
    assert!(<Answer<Option<Emitted>>>::SIZE == 48 && <Answer<Processed>>::SIZE == 48);
    assert!(<Answer<bool>>::SIZE == 16 && <Answer<Vec<String>>>::SIZE == 16);
    assert!(<Answer<(), BatchError>>::SIZE == 20 && <Answer<Signal, BatchError>>::SIZE == 20);
};

/// The kind of each resource the host gives.
pub trait Lent {
    const KIND: Kind;
}
impl Lent for Buffer {
    const KIND: Kind = Kind::Buffer;
}
impl Lent for crate::lift::FlowContext {
    const KIND: Kind = Kind::FlowContext;
}
impl Lent for Batch {
    const KIND: Kind = Kind::Batch;
}
impl Lent for BatchWriter {
    const KIND: Kind = Kind::BatchWriter;
}
