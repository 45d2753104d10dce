//! Calls into a guest: arguments lowered, results lifted.

use std::marker::PhantomData;

use wasmtime::component::Resource;
use wasmtime::{Func, Result, Store, StoreContextMut, TypedFunc, WasmParams, WasmResults};

use super::abi::{Lent, Lift, Source};
use super::{context, put};
use crate::lift::{Batch, BatchWriter, ElementIn, Signal};
use crate::state::State;

/// What a function of the contract takes, as core WebAssembly gets it.
pub trait Arguments {
    type Core: WasmParams;
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<Self::Core>;
}

/// What a function of the contract gives: nothing, or a pointer to where it lies.
pub trait Given: Sized {
    type Core: WasmParams + WasmResults + Copy;
    fn lift(core: Self::Core, store: &mut StoreContextMut<'_, State>) -> Result<Self>;
}

impl Given for () {
    type Core = ();
    fn lift((): (), _: &mut StoreContextMut<'_, State>) -> Result<()> {
        Ok(())
    }
}

impl<T: Lift> Given for (T,) {
    type Core = u32;
    fn lift(at: u32, store: &mut StoreContextMut<'_, State>) -> Result<(T,)> {
        let memory = store.data().guest.memory()?;
        let (memory, state) = memory.data_and_store_mut(store);
        Source::new(memory, &mut state.guest.handles)
            .result(at)
            .map(|value| (value,))
    }
}

fn lend<T: Lent + 'static>(store: &mut StoreContextMut<'_, State>, resource: &Resource<T>) -> Result<u32> {
    store.data_mut().guest.handles.insert_borrow(T::KIND, resource.rep())
}

fn text(store: &mut StoreContextMut<'_, State>, text: &str) -> Result<(u32, u32)> {
    let at = put(context(store), 1, text.as_bytes())?;
    Ok((at, text.len() as u32))
}

impl Arguments for () {
    type Core = ();
    fn lower(self, _: &mut StoreContextMut<'_, State>) -> Result<()> {
        Ok(())
    }
}

impl Arguments for (&str,) {
    type Core = (u32, u32);
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<(u32, u32)> {
        text(store, self.0)
    }
}

impl Arguments for (Signal,) {
    type Core = u32;
    fn lower(self, _: &mut StoreContextMut<'_, State>) -> Result<u32> {
        Ok(self.0 as u32)
    }
}

impl Arguments for (u64,) {
    type Core = u64;
    fn lower(self, _: &mut StoreContextMut<'_, State>) -> Result<u64> {
        Ok(self.0)
    }
}

impl Arguments for (ElementIn<'_>,) {
    type Core = (u64, u64, u32, u32, u32, u32);
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<Self::Core> {
        let (element,) = self;
        let (at, size) = text(store, element.meta.content_type)?;
        let payload = lend(store, &element.payload)?;
        let context = lend(store, &element.context)?;
        let meta = element.meta;
        Ok((meta.sequence, meta.timestamp_ns, at, size, payload, context))
    }
}

impl Arguments for (Resource<Batch>, Resource<BatchWriter>) {
    type Core = (u32, u32);
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<(u32, u32)> {
        Ok((lend(store, &self.0)?, lend(store, &self.1)?))
    }
}

impl Arguments for (u32, Resource<BatchWriter>) {
    type Core = (u32, u32);
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<(u32, u32)> {
        Ok((self.0, lend(store, &self.1)?))
    }
}

impl<T: Lent + 'static> Arguments for (Resource<T>,) {
    type Core = u32;
    fn lower(self, store: &mut StoreContextMut<'_, State>) -> Result<u32> {
        lend(store, &self.0)
    }
}

/// An exported function of the contract.
pub struct DirectFunc<P: Arguments, R: Given> {
    function: TypedFunc<P::Core, R::Core>,
    post_return: Option<TypedFunc<R::Core, ()>>,
    contract: PhantomData<fn(P) -> R>,
}

impl<P: Arguments, R: Given> DirectFunc<P, R> {
    pub fn new(store: &Store<State>, function: Func, post_return: Option<Func>) -> Result<DirectFunc<P, R>> {
        Ok(DirectFunc {
            function: function.typed(store)?,
            post_return: post_return.map(|function| function.typed(store)).transpose()?,
            contract: PhantomData,
        })
    }

    /// An error ends the instance.
    pub fn call(&self, store: &mut Store<State>, arguments: P) -> Result<R> {
        let mut store = context(store);
        let core = arguments.lower(&mut store)?;
        let given = self.function.call(&mut store, core)?;
        store.data().guest.handles.check_returned()?;
        let result = R::lift(given, &mut store)?;
        if let Some(post_return) = &self.post_return {
            store.data_mut().guest.sealed = true;
            post_return.call(&mut store, given)?;
            store.data_mut().guest.sealed = false;
        }
        Ok(result)
    }
}
