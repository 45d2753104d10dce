//! Calls into a guest: arguments lowered, results lifted.

use std::marker::PhantomData;

use wasmtime::component::Resource;
use wasmtime::{Caller, Func, Linker, Result, Store, StoreContextMut, TypedFunc, WasmParams, bail};

use super::abi::{Lent, Lift, Source};
use super::context;
use super::memory::{bytes_mut, copy, extent};
use crate::ffi::View;
use crate::lift::{Batch, BatchWriter, ElementIn, Signal};
use crate::state::State;

/// What a function of the contract takes, as the glue gets it: of a text, its size.
pub trait Arguments {
    type Entry: WasmParams;
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<Self::Entry>;
}

/// What a function of the contract gives: nothing, or a pointer to where it lies.
pub trait Given: Sized {
    fn lift(at: u32, store: &mut StoreContextMut<'_, State>) -> Result<Self>;
}

impl Given for () {
    fn lift(_: u32, _: &mut StoreContextMut<'_, State>) -> Result<()> {
        Ok(())
    }
}

impl<T: Lift> Given for (T,) {
    #[inline(always)]
    fn lift(at: u32, store: &mut StoreContextMut<'_, State>) -> Result<(T,)> {
        let (base, size) = extent(store)?;
        // SAFETY: it is the store's, which is borrowed as long; what is kept of the guest in `State` is no part of it.
        let memory = unsafe { std::slice::from_raw_parts(base.as_ptr(), size) };
        let guest = &mut store.data_mut().guest;
        Source::new(memory, &mut guest.handles, &mut guest.last_content_type)
            .result(at)
            .map(|value| (value,))
    }
}

/// The call that is under way: what the glue asks the host for in the midst of it.
pub struct Pending {
    /// The text among its arguments.
    text: View,
    /// Where the result goes, and how it is lifted.
    slot: *mut (),
    lift: LiftInto,
}

type LiftInto = unsafe fn(*mut (), u32, &mut StoreContextMut<'_, State>) -> Result<()>;

// SAFETY: used within the call that set it, on its thread.
unsafe impl Send for Pending {}
unsafe impl Sync for Pending {}

impl Default for Pending {
    fn default() -> Pending {
        Pending {
            text: View::EMPTY,
            slot: std::ptr::null_mut(),
            lift: lift_nothing,
        }
    }
}

unsafe fn lift_nothing(_: *mut (), _: u32, _: &mut StoreContextMut<'_, State>) -> Result<()> {
    bail!("no call is under way")
}

/// # Safety
/// `slot` is an `Option<R>`.
unsafe fn lift_into<R: Given>(slot: *mut (), at: u32, store: &mut StoreContextMut<'_, State>) -> Result<()> {
    let value = R::lift(at, store)?;
    // What is there is None, or the result of a glue that is not ours: nothing to drop.
    unsafe { slot.cast::<Option<R>>().write(Some(value)) };
    Ok(())
}

/// Puts the text of the call that has just begun where the guest made room for it.
fn text(mut guest: Caller<'_, State>, at: u32) -> Result<()> {
    let state = &mut guest.data_mut().guest;
    state.sealed = false;
    let text = std::mem::replace(&mut state.pending.text, View::EMPTY);
    // SAFETY: an argument of the call that is under way.
    let text = unsafe { text.bytes() };
    let start = at as usize;
    let Some(room) = bytes_mut(&mut guest)?.get_mut(start..start + text.len()) else {
        bail!("realloc return: beyond end of memory")
    };
    copy(room, text);
    Ok(())
}

/// Lifts the result of the call that has just ended, and leaves the guest to its post-return.
fn done(mut guest: Caller<'_, State>, at: u32) -> Result<()> {
    let state = &mut guest.data_mut().guest;
    state.handles.check_returned()?;
    let (slot, lift) = (state.pending.slot, state.pending.lift);
    // SAFETY: both were set by the call that is under way, whose slot it is.
    unsafe { lift(slot, at, &mut context(&mut guest)) }?;
    guest.data_mut().guest.sealed = true;
    Ok(())
}

pub fn define(linker: &mut Linker<State>, module: &str) -> Result<()> {
    linker.func_wrap(module, "text", text)?;
    linker.func_wrap(module, "done", done)?;
    Ok(())
}

#[inline(always)]
fn lend<T: Lent + 'static>(store: &mut StoreContextMut<'_, State>, resource: &Resource<T>) -> Result<u32> {
    store.data_mut().guest.handles.insert_borrow(T::KIND, resource.rep())
}

/// The text's size. The guest is asked for room at once, and may not call out meanwhile.
#[inline(always)]
fn lower_text(store: &mut StoreContextMut<'_, State>, text: &str) -> Result<u32> {
    let guest = &mut store.data_mut().guest;
    guest.pending.text = View::of(text.as_bytes());
    guest.sealed = true;
    Ok(u32::try_from(text.len())?)
}

impl Arguments for () {
    type Entry = ();
    fn lower(self, _: &mut StoreContextMut<'_, State>) -> Result<()> {
        Ok(())
    }
}

impl Arguments for (&str,) {
    type Entry = u32;
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<u32> {
        lower_text(store, self.0)
    }
}

impl Arguments for (Signal,) {
    type Entry = u32;
    fn lower(self, _: &mut StoreContextMut<'_, State>) -> Result<u32> {
        Ok(self.0 as u32)
    }
}

impl Arguments for (u64,) {
    type Entry = u64;
    fn lower(self, _: &mut StoreContextMut<'_, State>) -> Result<u64> {
        Ok(self.0)
    }
}

impl Arguments for (ElementIn<'_>,) {
    type Entry = (u64, u64, u32, u32, u32);
    #[inline(always)]
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<Self::Entry> {
        let (element,) = self;
        let meta = element.meta;
        let size = lower_text(store, meta.content_type)?;
        let payload = lend(store, &element.payload)?;
        let context = lend(store, &element.context)?;
        Ok((meta.sequence, meta.timestamp_ns, size, payload, context))
    }
}

impl Arguments for (Resource<Batch>, Resource<BatchWriter>) {
    type Entry = (u32, u32);
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<(u32, u32)> {
        Ok((lend(store, &self.0)?, lend(store, &self.1)?))
    }
}

impl Arguments for (u32, Resource<BatchWriter>) {
    type Entry = (u32, u32);
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<(u32, u32)> {
        Ok((self.0, lend(store, &self.1)?))
    }
}

impl<T: Lent + 'static> Arguments for (Resource<T>,) {
    type Entry = u32;
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<u32> {
        lend(store, &self.0)
    }
}

/// An exported function of the contract, behind the glue.
pub struct DirectFunc<P: Arguments, R: Given> {
    entry: TypedFunc<P::Entry, ()>,
    contract: PhantomData<fn(P) -> R>,
}

impl<P: Arguments, R: Given> DirectFunc<P, R> {
    pub fn new(store: &Store<State>, entry: Func) -> Result<DirectFunc<P, R>> {
        Ok(DirectFunc {
            entry: entry.typed(store)?,
            contract: PhantomData,
        })
    }

    /// An error ends the instance.
    pub fn call(&self, store: &mut Store<State>, arguments: P) -> Result<R> {
        let mut store = context(store);
        let entry = arguments.lower(&mut store)?;
        let mut given: Option<R> = None;
        let pending = &mut store.data_mut().guest.pending;
        pending.slot = (&raw mut given).cast();
        pending.lift = lift_into::<R>;
        let called = self.entry.call(&mut store, entry);
        let guest = &mut store.data_mut().guest;
        guest.pending.slot = std::ptr::null_mut();
        guest.pending.lift = lift_nothing;
        guest.sealed = false;
        called?;
        let Some(given) = given else {
            bail!("the glue left out the result")
        };
        Ok(given)
    }
}
