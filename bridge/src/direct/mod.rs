//! The direct path: a component's core modules, called without the engine's typed calls between.
//!
//! A component that imports nothing but the contract is instantiated as its binary says (`plan`), with functions of ours for its imports
//! (`imports`), and its exports are called by our own canonical ABI (`abi`, `calls`) through a module of ours (`glue`). What the component model demands holds here as there: typed handles
//! in one table (`handles`), borrows returned before a call ends, no call out of `realloc` or post-return, UTF-8, alignment and bounds checked.

mod abi;
mod calls;
mod detour;
mod glue;
mod handles;
mod imports;
mod memory;
mod plan;
mod types;

use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{AsContextMut, Engine, Extern, Instance, Linker, Module, Result, Store, StoreContextMut, TypedFunc};
use wasmtime::{Trap, bail};

use abi::LastText;
pub use abi::{ContentType, Emitted, Processed};
use calls::Pending;
pub use calls::{Arguments, DirectFunc, Given};
pub use glue::NAME as GLUE;
pub use handles::Handles;
use imports::Reading;
use memory::GuestMemory;
use plan::{Argument, Place, Plan};

use crate::state::State;

type Realloc = TypedFunc<(u32, u32, u32, u32), u32>;

/// What a store keeps of the guest it calls directly. Empty on the typed path.
#[derive(Default)]
pub struct Guest {
    memory: Option<GuestMemory>,
    realloc: Option<Box<Realloc>>,
    handles: Handles,
    last_content_type: LastText,
    pending: Pending,
    /// What `begin read` found and `end read` is to put into the guest's memory.
    reading: Reading,
    /// The guest may not call out: it is in `realloc` or in a post-return.
    sealed: bool,
}

impl Guest {
    /// The content type that was lifted last, where it was kept here.
    pub fn last_content_type(&self) -> &[u8] {
        self.last_content_type.bytes()
    }
}

/// Asks the guest for room of so many bytes: where it begins. All of it lies within the memory.
fn reserve(store: &mut StoreContextMut<'_, State>, align: u32, bytes: usize) -> Result<u32> {
    let guest = &mut store.data_mut().guest;
    let Some(realloc) = guest.realloc.take() else {
        bail!("the component has no `realloc`")
    };
    let size = u32::try_from(bytes)?;
    // Left as they are where it fails: the instance has ended then.
    guest.sealed = true;
    let at = realloc.call(&mut *store, (0, 0, align, size))?;
    let guest = &mut store.data_mut().guest;
    guest.sealed = false;
    guest.realloc = Some(realloc);
    if at % align != 0 {
        bail!("realloc return: result not aligned")
    }
    if at as usize + bytes > memory::extent(store)?.1 {
        bail!("realloc return: beyond end of memory")
    }
    Ok(at)
}

/// Asks the guest for room and puts `bytes` there.
fn put(mut store: StoreContextMut<'_, State>, align: u32, bytes: &[u8]) -> Result<u32> {
    let at = reserve(&mut store, align, bytes.len())?;
    let start = at as usize;
    memory::bytes_mut(&mut store)?[start..start + bytes.len()].copy_from_slice(bytes);
    Ok(at)
}

fn check_may_leave(state: &State) -> Result<()> {
    if state.guest.sealed {
        return Err(Trap::CannotLeaveComponent.into());
    }
    Ok(())
}

/// A component taken apart: what is in it, and how it is put together.
pub struct Parts {
    plan: Plan,
    modules: Vec<Module>,
}

/// Everything that components on this path may import.
pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    imports::linker(engine)
}

/// An instance on this path, until its functions have been found.
pub struct Found<'a> {
    plan: &'a Plan,
    instances: Vec<Instance>,
}

impl Parts {
    /// Takes a component apart; or says in words why it has to go by the typed path.
    pub fn new(engine: &Engine, component: &Component, wasm: &[u8]) -> std::result::Result<Parts, String> {
        let (plan, modules) = plan::make(wasm)?;
        if let Some(function) = types::find_drifted(engine, component) {
            return Err(format!("its {function} is not the contract's"));
        }
        let modules = modules.into_iter().map(|bytes| Module::new(engine, bytes));
        match modules.collect::<Result<_>>() {
            Ok(modules) => Ok(Parts { plan, modules }),
            Err(error) => Err(format!("its modules do not stand alone: {error:#}")),
        }
    }

    /// Instantiates all of it. The store is one that serves nothing else.
    pub fn instantiate(&self, store: &mut Store<State>, linker: &Linker<State>) -> Result<Found<'_>> {
        let mut found = Found {
            plan: &self.plan,
            instances: Vec::with_capacity(self.plan.steps.len()),
        };
        for step in &self.plan.steps {
            let arguments = step.arguments.iter().map(|argument| match argument {
                Argument::Host(name) => linker.get(&mut *store, imports::MODULE, name),
                Argument::Place(place) => found.get(store, place),
            });
            let arguments = arguments.collect::<Result<Vec<Extern>>>()?;
            // What its start function writes has to find the memory.
            found.extract(store)?;
            let instance = Instance::new(&mut *store, &self.modules[step.module], &arguments)?;
            found.instances.push(instance);
        }
        found.extract(store)?;
        Ok(found)
    }
}

impl Found<'_> {
    fn get(&self, store: &mut Store<State>, place: &Place) -> Result<Extern> {
        let instance = self.instances.get(place.instance);
        let item = instance.and_then(|instance| instance.get_export(store, &place.name));
        let Some(item) = item else {
            bail!("core instance {} exports no `{}`", place.instance, place.name)
        };
        Ok(item)
    }

    /// Memory and `realloc`, as soon as the instances that have them are there.
    fn extract(&self, store: &mut Store<State>) -> Result<()> {
        let is_there = |place: &&Place| place.instance < self.instances.len();
        if store.data().guest.memory.is_none()
            && let Some(place) = self.plan.memory.as_ref().filter(is_there)
        {
            let memory = self.get(store, place)?.into_memory();
            let memory = memory.map(|memory| GuestMemory::new(memory, &*store)).transpose()?;
            store.data_mut().guest.memory = memory;
        }
        if store.data().guest.realloc.is_none()
            && let Some(place) = self.plan.realloc.as_ref().filter(is_there)
        {
            let function = self.get(store, place)?.into_func();
            let typed = function.map(|function| function.typed(&mut *store)).transpose()?;
            store.data_mut().guest.realloc = typed.map(Box::new);
        }
        Ok(())
    }

    /// The function `name` that the interface exports, if it does.
    pub fn function<P: Arguments, R: Given>(
        &self,
        store: &mut Store<State>,
        interface: &str,
        name: &str,
    ) -> Result<Option<DirectFunc<P, R>>> {
        let mut exports = self.plan.exports.iter();
        let Some(export) = exports.find(|export| export.interface == interface && export.name == name) else {
            return Ok(None);
        };
        let place = &export.function;
        let Some(function) = self.get(store, place)?.into_func() else {
            bail!("`{}` is no function", place.name)
        };
        DirectFunc::new(store, function).map(Some)
    }
}

/// Parts as bytes and back, beside the compiled component they belong to.
impl Parts {
    pub fn serialize(&self) -> Result<Vec<Vec<u8>>> {
        let mut pieces = vec![serde_json::to_vec(&self.plan)?];
        for module in &self.modules {
            pieces.push(module.serialize()?);
        }
        Ok(pieces)
    }

    /// # Safety
    /// The pieces are those of `serialize`, by the same engine, unchanged.
    pub unsafe fn deserialize(engine: &Engine, pieces: &[&[u8]]) -> Result<Parts> {
        let Some((plan, modules)) = pieces.split_first() else {
            bail!("there are no parts")
        };
        let modules = modules.iter().map(|code| unsafe { Module::deserialize(engine, code) });
        Ok(Parts {
            plan: serde_json::from_slice(plan)?,
            modules: modules.collect::<Result<_>>()?,
        })
    }
}

/// Kept by a component: its parts, or why it has none.
pub type Path = std::result::Result<Arc<Parts>, String>;

fn context(store: &mut impl AsContextMut<Data = State>) -> StoreContextMut<'_, State> {
    store.as_context_mut()
}
