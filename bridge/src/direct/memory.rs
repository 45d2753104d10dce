//! The guest's linear memory, found without asking the engine each time.

use std::ptr::NonNull;

use wasmtime::{AsContext, AsContextMut, Memory, Result, bail};

use crate::state::State;

/// A 32-bit memory of one store's. The engine reserves all it can grow to (`Config::memory_may_move` is off), so it never moves; how large it
/// is stays true until the store's limiter is asked about another growth.
pub struct GuestMemory {
    memory: Memory,
    base: NonNull<u8>,
    size: usize,
    growths: u64,
}

// SAFETY: used with its store, by one thread at a time.
unsafe impl Send for GuestMemory {}
unsafe impl Sync for GuestMemory {}

impl GuestMemory {
    pub fn new(memory: Memory, store: impl AsContext<Data = State>) -> Result<GuestMemory> {
        if memory.ty(&store).is_64() {
            bail!("the component's memory is not a 32-bit one")
        }
        let Some(base) = NonNull::new(memory.data_ptr(&store)) else {
            bail!("the component's memory is nowhere")
        };
        Ok(GuestMemory {
            memory,
            base,
            size: memory.data_size(&store),
            growths: store.as_context().data().limiter.memory_growths,
        })
    }
}

/// Where the guest's memory begins, and its size in bytes.
#[inline]
pub fn extent(store: &mut impl AsContextMut<Data = State>) -> Result<(NonNull<u8>, usize)> {
    let mut store = store.as_context_mut();
    let state = store.data();
    match &state.guest.memory {
        Some(known) if known.growths == state.limiter.memory_growths => Ok((known.base, known.size)),
        Some(known) => {
            let (base, size, growths) = (known.base, known.memory.data_size(&store), state.limiter.memory_growths);
            if let Some(known) = &mut store.data_mut().guest.memory {
                (known.size, known.growths) = (size, growths);
            }
            Ok((base, size))
        }
        None => bail!("the component has no memory"),
    }
}

/// As `copy_from_slice`. What is short, as texts and many elements are, goes in two moves: for those a call of `memcpy` is most of its work.
#[inline(always)]
pub fn copy(to: &mut [u8], from: &[u8]) {
    let size = from.len();
    match size {
        8..=16 => {
            to[..8].copy_from_slice(&from[..8]);
            to[size - 8..size].copy_from_slice(&from[size - 8..]);
        }
        0 => {}
        _ => to.copy_from_slice(from),
    }
}

/// As `==`, likewise.
#[inline(always)]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    fn word(bytes: &[u8]) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        u64::from_ne_bytes(word)
    }
    let size = a.len();
    size == b.len()
        && match size {
            8..=16 => word(&a[..8]) == word(&b[..8]) && word(&a[size - 8..]) == word(&b[size - 8..]),
            0 => true,
            _ => a == b,
        }
}

/// All of the guest's memory.
#[inline]
pub fn bytes(store: &mut impl AsContextMut<Data = State>) -> Result<&[u8]> {
    let (base, size) = extent(store)?;
    // SAFETY: it is the store's, which is borrowed as long: nothing runs in it meanwhile that could write there.
    Ok(unsafe { std::slice::from_raw_parts(base.as_ptr(), size) })
}

/// As `bytes`, to be written.
#[inline]
pub fn bytes_mut(store: &mut impl AsContextMut<Data = State>) -> Result<&mut [u8]> {
    let (base, size) = extent(store)?;
    // SAFETY: as above.
    Ok(unsafe { std::slice::from_raw_parts_mut(base.as_ptr(), size) })
}
