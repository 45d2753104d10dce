//! Engines and compiled components.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::{Value, json};
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::callbacks::Callbacks;
use crate::direct::{self, Parts, Path};
use crate::ffi::{Failure, FailureKind, OwnedString, RawFailure, Status, View, guard, quiet};
use crate::linker;
use crate::state::{EngineMemory, State};

const ENGINE_VERSION: &str = "48.0.8";
const ABI_VERSION: u32 = 6;

/// What a pooled slot has room for. Larger components are refused when they are instantiated, with the figure.
const POOL_TABLE_ELEMENTS: usize = 100_000;
const POOL_INSTANCE_BYTES: usize = 4 << 20;
const POOL_PARTS_PER_COMPONENT: u32 = 32;
const DEFAULT_STACK_BYTES: usize = 512 * 1024;

#[repr(C)]
pub struct EngineOptions {
    max_instances: u32,
    max_stack_bytes: u64,
    tick_ms: u32,
    max_memory_bytes: u64,
    typed_only: bool,
}

pub struct EngineShared {
    pub engine: Engine,
    pub linker: Linker<State>,
    pub direct_linker: wasmtime::Linker<State>,
    typed_only: bool,
    pub callbacks: Box<Callbacks>,
    pub memory: Arc<EngineMemory>,
}

/// `tvb_engine`.
pub struct EngineHandle(Arc<EngineShared>);

/// `tvb_component`.
pub struct ComponentHandle {
    pub shared: Arc<EngineShared>,
    pub component: Component,
    pub path: Path,
}

fn config(options: &EngineOptions) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        // As it is anyway for memories of 32 bits: all they can grow to is reserved. `direct::memory` builds on it.
        .memory_may_move(false)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable);
    let stack_bytes = usize::try_from(options.max_stack_bytes).unwrap_or(DEFAULT_STACK_BYTES);
    config.max_wasm_stack(if stack_bytes == 0 {
        DEFAULT_STACK_BYTES
    } else {
        stack_bytes
    });
    if options.max_instances != 0 {
        let slots = options.max_instances;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(slots)
            .total_core_instances(slots.saturating_mul(5))
            .total_memories(slots)
            .total_tables(slots.saturating_mul(2))
            .total_stacks(0)
            .max_core_instances_per_component(POOL_PARTS_PER_COMPONENT)
            .max_tables_per_component(POOL_PARTS_PER_COMPONENT)
            .max_memories_per_component(POOL_PARTS_PER_COMPONENT)
            .max_component_instance_size(POOL_INSTANCE_BYTES)
            .max_core_instance_size(POOL_INSTANCE_BYTES)
            .table_elements(POOL_TABLE_ELEMENTS);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn failure(kind: FailureKind, error: &wasmtime::Error) -> Box<Failure> {
    Failure::new(kind, format!("{error:#}"))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_engine_new(
    options: *const EngineOptions,
    host: *const Callbacks,
    out: *mut *mut EngineHandle,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        guard(raw, || {
            let engine = Engine::new(&config(&*options)).map_err(|e| failure(FailureKind::Other, &e))?;
            let linker = linker::build(&engine).map_err(|e| failure(FailureKind::Other, &e))?;
            let direct_linker = direct::linker(&engine).map_err(|e| failure(FailureKind::Other, &e))?;
            let callbacks = Box::new(*host);
            *out = Box::into_raw(Box::new(EngineHandle(Arc::new(EngineShared {
                engine,
                linker,
                direct_linker,
                typed_only: (*options).typed_only,
                callbacks,
                memory: Arc::new(EngineMemory::new((*options).max_memory_bytes)),
            }))));
            Ok(Status::Ok)
        })
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_engine_free(engine: *mut EngineHandle) {
    if !engine.is_null() {
        quiet((), || drop(unsafe { Box::from_raw(engine) }));
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_engine_tick(engine: *mut EngineHandle) {
    unsafe { &*engine }.0.engine.increment_epoch();
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_engine_memory(engine: *const EngineHandle) -> u64 {
    unsafe { &*engine }.0.memory.bytes()
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_engine_fingerprint(engine: *const EngineHandle) -> OwnedString {
    quiet(OwnedString::EMPTY, || {
        let mut hasher = DefaultHasher::new();
        unsafe { &*engine }
            .0
            .engine
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        // Code for both paths is more than code for one.
        let paths = if unsafe { &*engine }.0.typed_only {
            "typed"
        } else {
            "direct"
        };
        format!("wasmtime {ENGINE_VERSION} {:016x} {paths}", hasher.finish()).into()
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn tvb_engine_version() -> View {
    View::of(ENGINE_VERSION.as_bytes())
}

#[unsafe(no_mangle)]
pub extern "C" fn tvb_abi_version() -> u32 {
    ABI_VERSION
}

unsafe fn engine_of<'a>(engine: *mut EngineHandle) -> &'a Engine {
    &unsafe { &*engine }.0.engine
}

unsafe fn give_component(
    engine: *mut EngineHandle,
    component: Component,
    path: Path,
    out: *mut *mut ComponentHandle,
) -> Status {
    let shared = unsafe { &*engine }.0.clone();
    unsafe {
        *out = Box::into_raw(Box::new(ComponentHandle {
            shared,
            component,
            path,
        }))
    };
    Status::Ok
}

/// Which path the component goes. What doesn't link goes by the typed one, which says why.
fn choose_path(shared: &EngineShared, component: &Component, wasm: &[u8]) -> Path {
    if shared.typed_only {
        return Err("the engine was asked for typed calls".to_owned());
    }
    if shared.linker.instantiate_pre(component).is_err() {
        return Err("its imports are not the contract's".to_owned());
    }
    Parts::new(&shared.engine, component, wasm).map(Arc::new)
}

/// Several pieces as one, and back: each behind its length.
fn join(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::new();
    for piece in pieces {
        joined.extend_from_slice(&(piece.len() as u64).to_le_bytes());
        joined.extend_from_slice(piece);
    }
    joined
}

fn split(mut joined: &[u8]) -> Option<Vec<&[u8]>> {
    let mut pieces = Vec::new();
    while let Some((size, rest)) = joined.split_first_chunk() {
        let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
        let (piece, rest) = rest.split_at_checked(size)?;
        pieces.push(piece);
        joined = rest;
    }
    joined.is_empty().then_some(pieces)
}

/// As `join` made it of the component's code, the words of `Path`'s error, and the parts if there are any.
fn load(engine: &Engine, code: &[u8]) -> Result<(Component, Path), Box<Failure>> {
    let invalid = |e: wasmtime::Error| failure(FailureKind::Invalid, &e);
    let pieces = split(code).unwrap_or_default();
    let [component, why, parts @ ..] = pieces.as_slice() else {
        return Err(Failure::new(FailureKind::Invalid, "the compiled code is not whole"));
    };
    // SAFETY: the caller vouches for the code.
    let component = unsafe { Component::deserialize(engine, component) }.map_err(invalid)?;
    let path = if parts.is_empty() {
        Err(String::from_utf8_lossy(why).into_owned())
    } else {
        Ok(Arc::new(unsafe { Parts::deserialize(engine, parts) }.map_err(invalid)?))
    };
    Ok((component, path))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_component_compile(
    engine: *mut EngineHandle,
    wasm: View,
    out: *mut *mut ComponentHandle,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        guard(raw, || {
            let component = Component::from_binary(engine_of(engine), wasm.bytes())
                .map_err(|e| failure(FailureKind::Invalid, &e))?;
            let path = choose_path(&(*engine).0, &component, wasm.bytes());
            Ok(give_component(engine, component, path, out))
        })
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_component_serialize(
    component: *const ComponentHandle,
    out: *mut OwnedString,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        guard(raw, || {
            let handle = &*component;
            let other = |e: wasmtime::Error| failure(FailureKind::Other, &e);
            let mut pieces = vec![handle.component.serialize().map_err(other)?];
            match &handle.path {
                Ok(parts) => {
                    pieces.push(Vec::new());
                    pieces.extend(parts.serialize().map_err(other)?);
                }
                Err(why) => pieces.push(why.clone().into_bytes()),
            }
            *out = join(&pieces).into();
            Ok(Status::Ok)
        })
    }
}

/// # Safety
/// See the header: `code` is machine code that will be run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_component_load(
    engine: *mut EngineHandle,
    code: View,
    out: *mut *mut ComponentHandle,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        guard(raw, || {
            let (component, path) = load(engine_of(engine), code.bytes())?;
            Ok(give_component(engine, component, path, out))
        })
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_component_free(component: *mut ComponentHandle) {
    if !component.is_null() {
        quiet((), || drop(unsafe { Box::from_raw(component) }));
    }
}

fn kind_name(item: &ComponentItem) -> &'static str {
    match item {
        ComponentItem::ComponentFunc(_) => "function",
        ComponentItem::CoreFunc(_) => "core-function",
        ComponentItem::Module(_) => "module",
        ComponentItem::Component(_) => "component",
        ComponentItem::ComponentInstance(_) => "instance",
        ComponentItem::Type(_) => "type",
        ComponentItem::Resource(_) => "resource",
    }
}

fn describe_item(engine: &Engine, name: &str, item: &ComponentItem) -> Value {
    let items = |instance: &ComponentInstance| -> Vec<String> {
        instance.exports(engine).map(|(name, _)| name.to_string()).collect()
    };
    match item {
        ComponentItem::ComponentInstance(instance) => {
            json!({"name": name, "kind": "instance", "items": items(instance)})
        }
        other => json!({"name": name, "kind": kind_name(other)}),
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_component_describe(
    component: *const ComponentHandle,
    out: *mut OwnedString,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        guard(raw, || {
            let handle = &*component;
            let engine = &handle.shared.engine;
            let ty = handle.component.component_type();
            let imports: Vec<Value> = ty
                .imports(engine)
                .map(|(name, item)| describe_item(engine, name, &item.ty))
                .collect();
            let exports: Vec<Value> = ty
                .exports(engine)
                .map(|(name, item)| describe_item(engine, name, &item.ty))
                .collect();
            let typed_because = handle.path.as_ref().err();
            let description = json!({"imports": imports, "exports": exports, "typed_because": typed_because});
            *out = description.to_string().into();
            Ok(Status::Ok)
        })
    }
}

impl ComponentHandle {
    /// The component with its imports bound.
    pub fn link(&self) -> Result<InstancePre<State>, Box<Failure>> {
        self.shared
            .linker
            .instantiate_pre(&self.component)
            .map_err(|e| failure(FailureKind::Import, &e))
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_component_check_imports(
    component: *const ComponentHandle,
    raw: *mut RawFailure,
) -> Status {
    unsafe { guard(raw, || (*component).link().map(|_| Status::Ok)) }
}
