//! Instances: found functions, typed calls, and what is said when one goes wrong.

use std::ffi::c_void;
use std::fmt::Write;
use std::sync::Arc;

use wasmtime::component::__internal::wasmtime_environ::demangle_function_name;
use wasmtime::component::{ComponentNamedList, Instance, Lift, Lower, Resource, TypedFunc};
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use crate::callbacks::Callbacks;
use crate::direct::{Arguments, ContentType, DirectFunc, Emitted, Found, GLUE, Given, Processed};
use crate::engine::{ComponentHandle, EngineShared};
use crate::ffi::{Failure, FailureKind, RawFailure, Status, View, guard, quiet};
use crate::grants::Grants;
use crate::lift::{
    Batch, BatchError, BatchWriter, ElementIn, ElementOut, GuestText, MetaIn, ProcessError, ProcessResult, Signal,
};
use crate::state::{HostRef, HostStop, State, on_tick};
use crate::stop::StopHandle;

type Answer<T, E = ProcessError> = (Result<T, E>,);
type BatchAnswer<T> = Answer<T, BatchError>;
type In = (ElementIn<'static>,);
type RunIn = (Resource<Batch>, Resource<BatchWriter>);

/// A function of the contract, by the path that its component goes: each gives the result in the form that costs it least.
enum Function<P: Arguments, R, D: Given = R> {
    Typed(TypedFunc<P, R>),
    Direct(DirectFunc<P, D>),
}

/// What came of a call, by its path.
enum Outcome<R, D> {
    Typed(R),
    Direct(D),
}

impl<R> Outcome<R, R> {
    fn either(self) -> R {
        match self {
            Outcome::Typed(result) | Outcome::Direct(result) => result,
        }
    }
}

/// The functions of the contract that an instance exports.
#[derive(Default)]
struct Functions {
    init: Option<Function<(&'static str,), Answer<()>>>,
    teardown: Option<Function<(), ()>>,
    pull: Option<Function<(), Answer<Option<ElementOut>>, Answer<Option<Emitted>>>>,
    notify_backpressure: Option<Function<(Signal,), ()>>,
    acknowledge: Option<Function<(u64,), ()>>,
    process: Option<Function<In, Answer<ProcessResult>, Answer<Processed>>>,
    evaluate: Option<Function<In, Answer<bool>>>,
    route: Option<Function<In, Answer<Vec<String>>>>,
    ingest: Option<Function<In, Answer<Option<ElementOut>>, Answer<Option<Emitted>>>>,
    flush: Option<Function<(), Answer<Vec<ElementOut>>>>,
    push: Option<Function<In, Answer<Signal>>>,
    complete: Option<Function<(), Answer<()>>>,
    batch_pull: Option<Function<(u32, Resource<BatchWriter>), Answer<bool>>>,
    batch_process: Option<Function<RunIn, BatchAnswer<()>>>,
    batch_route: Option<Function<RunIn, BatchAnswer<()>>>,
    batch_ingest: Option<Function<RunIn, BatchAnswer<()>>>,
    batch_flush: Option<Function<(Resource<BatchWriter>,), Answer<bool>>>,
    batch_push: Option<Function<(Resource<Batch>,), BatchAnswer<Signal>>>,
}

/// `tvb_instance`.
pub struct InstanceHandle {
    store: Store<State>,
    functions: Functions,
    ended: bool,
    error_text: String,
    out_text: GuestText,
    // Last: the store points at its callbacks.
    _shared: Arc<EngineShared>,
}

#[repr(C)]
pub struct InstanceOptions {
    max_memory_bytes: u64,
    stop: *const StopHandle,
    start_ticks_max: u64,
    grants: Grants,
}

#[repr(C)]
pub struct GuestError {
    kind: u32,
    index: u32,
    text: View,
}

#[repr(C)]
pub struct RawElementIn {
    sequence: u64,
    timestamp_ns: u64,
    content_type: View,
    payload_rep: u32,
    context_rep: u32,
}

#[repr(C)]
pub struct RawElementOut {
    payload_rep: u32,
    content_type: View,
}

fn trap_kind(trap: Trap) -> FailureKind {
    match trap {
        Trap::UnreachableCodeReached => FailureKind::Unreachable,
        Trap::StackOverflow => FailureKind::StackOverflow,
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => FailureKind::MemoryBounds,
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => FailureKind::Arithmetic,
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => FailureKind::IndirectCall,
        _ => FailureKind::Trap,
    }
}

/// Errors that the engine makes of plain words. The crate is pinned, and the tests hold each of these.
fn worded_kind(message: &str) -> FailureKind {
    let says = |words: &str| message.contains(words);
    if says("borrow handles still remain") {
        FailureKind::Borrow
    } else if says("handle index")
        || says("used with the wrong type")
        || says("host-owned resource")
        || says("cannot remove owned resource")
    {
        FailureKind::Handle
    } else if says("utf-8") || says("discriminant") || says("out of bounds of memory") || says("not aligned") {
        FailureKind::Contract
    } else {
        FailureKind::Trap
    }
}

fn frames(backtrace: &WasmBacktrace) -> String {
    let mut text = String::new();
    for frame in backtrace.frames() {
        if frame.module().name() == Some(GLUE) {
            continue;
        }
        let mut line = |name: Option<&str>, place: Option<(&str, Option<u32>)>| {
            match name {
                Some(name) => {
                    let _ = demangle_function_name(&mut text, name);
                }
                None => {
                    let _ = write!(text, "function {}", frame.func_index());
                }
            }
            if let Some((file, number)) = place {
                let _ = write!(text, " at {file}");
                if let Some(number) = number {
                    let _ = write!(text, ":{number}");
                }
            }
            text.push('\n');
        };
        if frame.symbols().is_empty() {
            line(frame.func_name(), None);
        }
        for symbol in frame.symbols() {
            line(
                symbol.name().or(frame.func_name()),
                symbol.file().map(|file| (file, symbol.line())),
            );
        }
    }
    text
}

#[cold]
fn describe(error: &wasmtime::Error, state: &State) -> Box<Failure> {
    let message = error.root_cause().to_string();
    let mut failure = if let Some(stop) = error.downcast_ref::<HostStop>() {
        let kind = match stop {
            HostStop::TimeUsedUp => FailureKind::Timeout,
            HostStop::StopRequested => FailureKind::Stopped,
            HostStop::Refused { .. } => FailureKind::Refused,
        };
        let mut failure = Failure::new(kind, stop.to_string());
        if let HostStop::Refused { code, .. } = stop {
            failure.refusal_code = *code;
        }
        failure
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        Failure::new(trap_kind(*trap), trap.to_string())
    } else if let Some(exit) = error.downcast_ref::<I32Exit>() {
        Failure::new(
            FailureKind::Exit,
            format!("the guest called exit with status {}", exit.0),
        )
    } else if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        Failure::new(FailureKind::WasiHandles, message)
    } else {
        Failure::new(worded_kind(&message), message)
    };
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        failure.backtrace = frames(backtrace);
    }
    failure.memory_grow_failed = state.limiter.refused_bytes;
    failure.engine_memory_full = state.limiter.engine_full;
    failure
}

/// The exported interface `package/name` at any version compatible with `major.minor`: before 1.0 the minor decides.
fn find_interface<'a>(exports: &'a [String], package: &str, interface: &str) -> Option<&'a str> {
    let prefix = format!("{package}/{interface}@0.1.");
    exports
        .iter()
        .map(String::as_str)
        .find(|name| name.starts_with(&prefix))
}

/// Where an instance's functions are looked for.
enum Exports<'a> {
    Typed(Instance),
    Direct(Found<'a>),
}

impl Exports<'_> {
    fn get<P, R, D>(
        &self,
        store: &mut Store<State>,
        interface: &str,
        name: &str,
    ) -> wasmtime::Result<Option<Function<P, R, D>>>
    where
        P: ComponentNamedList + Lower + Arguments,
        R: ComponentNamedList + Lift,
        D: Given,
    {
        let instance = match self {
            Exports::Typed(instance) => instance,
            Exports::Direct(found) => return Ok(found.function(store, interface, name)?.map(Function::Direct)),
        };
        let index = instance.get_export_index(&mut *store, None, interface);
        let index = index.and_then(|index| instance.get_export_index(&mut *store, Some(&index), name));
        let Some(index) = index else {
            return Ok(None);
        };
        instance
            .get_typed_func(store, index)
            .map(|found| Some(Function::Typed(found)))
    }
}

struct Finder<'a> {
    store: &'a mut Store<State>,
    exports: Exports<'a>,
    interfaces: Vec<String>,
}

impl Finder<'_> {
    fn find<P, R, D>(
        &mut self,
        package: &str,
        interface: &str,
        function: &str,
    ) -> Result<Option<Function<P, R, D>>, Box<Failure>>
    where
        P: ComponentNamedList + Lower + Arguments,
        R: ComponentNamedList + Lift,
        D: Given,
    {
        let Some(name) = find_interface(&self.interfaces, package, interface) else {
            return Ok(None);
        };
        let refused = |why: String| Failure::new(FailureKind::Export, format!("`{name}` is not the contract's: {why}"));
        match self.exports.get(self.store, name, function) {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => Err(refused(format!("it has no function `{function}`"))),
            Err(error) => Err(refused(format!("`{function}`: {error:#}"))),
        }
    }

    fn all(mut self) -> Result<Functions, Box<Failure>> {
        const STREAMING: &str = "torvyn:streaming";
        const FILTERING: &str = "torvyn:filtering";
        const AGGREGATION: &str = "torvyn:aggregation";
        const BATCHING: &str = "torvyn:batching";
        let notify_backpressure = match self.find(STREAMING, "source", "notify-backpressure")? {
            Some(function) => Some(function),
            None => self.find(BATCHING, "batch-source", "notify-backpressure")?,
        };
        let complete = match self.find(STREAMING, "sink", "complete")? {
            Some(function) => Some(function),
            None => self.find(BATCHING, "batch-sink", "complete")?,
        };
        Ok(Functions {
            init: self.find(STREAMING, "lifecycle", "init")?,
            teardown: self.find(STREAMING, "lifecycle", "teardown")?,
            pull: self.find(STREAMING, "source", "pull")?,
            notify_backpressure,
            acknowledge: self.find("torvyn:acks", "acks", "acknowledge")?,
            process: self.find(STREAMING, "processor", "process")?,
            evaluate: self.find(FILTERING, "filter", "evaluate")?,
            route: self.find(FILTERING, "router", "route")?,
            ingest: self.find(AGGREGATION, "aggregator", "ingest")?,
            flush: self.find(AGGREGATION, "aggregator", "flush")?,
            push: self.find(STREAMING, "sink", "push")?,
            complete,
            batch_pull: self.find(BATCHING, "batch-source", "pull")?,
            batch_process: self.find(BATCHING, "batch-processor", "process")?,
            batch_route: self.find(BATCHING, "batch-router", "route")?,
            batch_ingest: self.find(BATCHING, "batch-aggregator", "ingest")?,
            batch_flush: self.find(BATCHING, "batch-aggregator", "flush")?,
            batch_push: self.find(BATCHING, "batch-sink", "push")?,
        })
    }
}

fn instantiate(
    handle: &ComponentHandle,
    host: *mut c_void,
    options: &InstanceOptions,
) -> Result<InstanceHandle, Box<Failure>> {
    let shared = handle.shared.clone();
    // SAFETY: `shared` is kept by the instance, after its store.
    let callbacks: &'static Callbacks = unsafe { &*std::ptr::from_ref(shared.callbacks.as_ref()) };
    // SAFETY: not freed before this returns; the header says so.
    let stop = unsafe { &*options.stop }.0.clone();
    // SAFETY: what the options point to stays until this returns.
    let state = unsafe {
        State::new(
            HostRef { callbacks, host },
            options.max_memory_bytes,
            shared.memory.clone(),
            stop,
            &options.grants,
        )
    }?;
    let mut store = Store::new(&shared.engine, state);
    store.limiter(|state| &mut state.limiter);
    store.epoch_deadline_callback(on_tick);
    store.data_mut().ticks_left = options.start_ticks_max;
    store.set_epoch_deadline(1);
    let exports = match &handle.path {
        Ok(parts) => parts
            .instantiate(&mut store, &shared.direct_linker)
            .map(Exports::Direct),
        Err(_) => handle.link()?.instantiate(&mut store).map(Exports::Typed),
    };
    let exports = exports.map_err(|error| {
        let mut failure = describe(&error, store.data());
        let words = format!("{error:#}");
        if error.downcast_ref::<WasmBacktrace>().is_none() && error.downcast_ref::<HostStop>().is_none() {
            failure.kind = FailureKind::Limit;
            failure.message = words;
        }
        failure
    })?;
    let ty = handle.component.component_type();
    let interfaces = ty.exports(&shared.engine).map(|(name, _)| name.to_string()).collect();
    let functions = Finder {
        store: &mut store,
        exports,
        interfaces,
    }
    .all()?;
    Ok(InstanceHandle {
        store,
        functions,
        ended: false,
        error_text: String::new(),
        out_text: GuestText::EMPTY,
        _shared: shared,
    })
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_instance_new(
    component: *mut ComponentHandle,
    host: *mut c_void,
    options: *const InstanceOptions,
    out: *mut *mut InstanceHandle,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        guard(raw, || {
            *out = Box::into_raw(Box::new(instantiate(&*component, host, &*options)?));
            Ok(Status::Ok)
        })
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_instance_free(instance: *mut InstanceHandle) {
    if !instance.is_null() {
        quiet((), || drop(unsafe { Box::from_raw(instance) }));
    }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_instance_memory(instance: *const InstanceHandle) -> u64 {
    unsafe { &*instance }.store.data().limiter.bytes
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_instance_functions(instance: *const InstanceHandle) -> u32 {
    let found = &unsafe { &*instance }.functions;
    let bits = [
        found.init.is_some(),
        found.pull.is_some(),
        found.process.is_some(),
        found.push.is_some(),
        found.evaluate.is_some(),
        found.route.is_some(),
        found.ingest.is_some(),
        found.acknowledge.is_some(),
        found.batch_pull.is_some(),
        found.batch_process.is_some(),
        found.batch_route.is_some(),
        found.batch_ingest.is_some(),
        found.batch_push.is_some(),
    ];
    bits.iter().enumerate().map(|(bit, &has)| u32::from(has) << bit).sum()
}

impl InstanceHandle {
    /// One call into the guest. Whatever goes wrong in it, a panic included, ends the instance.
    fn call<P, R, D>(
        &mut self,
        ticks_max: u64,
        function: impl FnOnce(&Functions) -> &Option<Function<P, R, D>>,
        arguments: P,
    ) -> Result<Outcome<R, D>, Box<Failure>>
    where
        P: ComponentNamedList + Lower + Arguments + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
        D: Given,
    {
        if self.ended {
            return Err(Failure::new(FailureKind::Other, "the instance has ended"));
        }
        let Some(function) = function(&self.functions) else {
            return Err(Failure::new(
                FailureKind::Export,
                "the component does not export this function",
            ));
        };
        self.ended = true;
        if self.store.data().stop.is_raised() {
            return Err(Failure::new(FailureKind::Stopped, HostStop::StopRequested.to_string()));
        }
        self.store.data_mut().ticks_left = ticks_max;
        self.store.set_epoch_deadline(1);
        let result = match function {
            Function::Typed(function) => function.call(&mut self.store, arguments).map(Outcome::Typed),
            Function::Direct(function) => function.call(&mut self.store, arguments).map(Outcome::Direct),
        };
        match result {
            Ok(result) => {
                self.ended = false;
                Ok(result)
            }
            Err(error) => Err(describe(&error, self.store.data())),
        }
    }

    unsafe fn guest_error(&mut self, error: impl GuestFault, out: *mut GuestError) -> Status {
        let (index, error) = error.into_place();
        let (kind, text) = error.into_parts();
        self.error_text = text;
        unsafe {
            *out = GuestError {
                kind,
                index,
                text: View::of(self.error_text.as_bytes()),
            }
        };
        Status::GuestError
    }

    /// Keeps what the element names until the next call.
    fn element(&mut self, element: ElementOut) -> RawElementOut {
        self.out_text = element.meta.content_type;
        RawElementOut {
            payload_rep: element.payload.rep(),
            content_type: View::of(self.out_text.bytes()),
        }
    }

    fn emitted(&mut self, element: Emitted) -> RawElementOut {
        let content_type = match element.content_type {
            ContentType::Last => View::of(self.store.data().guest.last_content_type()),
            ContentType::Long(text) => {
                self.out_text = GuestText::Heap(text);
                View::of(self.out_text.bytes())
            }
        };
        RawElementOut {
            payload_rep: element.payload_rep,
            content_type,
        }
    }
}

/// An error of the guest's own, and the element of the run it is about.
trait GuestFault {
    fn into_place(self) -> (u32, ProcessError);
}

impl GuestFault for ProcessError {
    fn into_place(self) -> (u32, ProcessError) {
        (0, self)
    }
}

impl GuestFault for BatchError {
    fn into_place(self) -> (u32, ProcessError) {
        (self.index, self.error)
    }
}

/// # Safety
/// As the header says: above all, the content type is UTF-8.
unsafe fn element_in(raw: *const RawElementIn) -> In {
    let raw = unsafe { &*raw };
    let content_type = unsafe { raw.content_type.bytes() };
    debug_assert!(std::str::from_utf8(content_type).is_ok());
    (ElementIn {
        meta: MetaIn {
            sequence: raw.sequence,
            timestamp_ns: raw.timestamp_ns,
            content_type: unsafe { std::str::from_utf8_unchecked(content_type) },
        },
        payload: Resource::new_borrow(raw.payload_rep),
        context: Resource::new_borrow(raw.context_rep),
    },)
}

fn run_in(batch_rep: u32, writer_rep: u32) -> RunIn {
    (Resource::new_borrow(batch_rep), Resource::new_borrow(writer_rep))
}

/// Where a call reports to: what the guest said, and what went wrong.
struct Reports {
    error: *mut GuestError,
    raw: *mut RawFailure,
}

/// An entry point whose function gives `result<T, E>`: `good` says what a good result is to the caller.
unsafe fn answer<P, T, E: GuestFault>(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    function: impl FnOnce(&Functions) -> &Option<Function<P, Answer<T, E>>>,
    arguments: impl FnOnce() -> Result<P, Box<Failure>>,
    reports: Reports,
    good: impl FnOnce(&mut InstanceHandle, T) -> Status,
) -> Status
where
    P: ComponentNamedList + Lower + Arguments + Send + Sync,
    Answer<T, E>: ComponentNamedList + Lift + Given + Send + Sync + 'static,
{
    unsafe {
        guard(reports.raw, || {
            let instance = &mut *instance;
            match instance.call(ticks_max, function, arguments()?)?.either() {
                (Ok(result),) => Ok(good(instance, result)),
                (Err(error),) => Ok(instance.guest_error(error, reports.error)),
            }
        })
    }
}

/// As `answer`, of a function that gives an element or nothing.
unsafe fn answer_element<P, T, D>(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    function: impl FnOnce(&Functions) -> &Option<Function<P, Answer<T>, Answer<D>>>,
    arguments: impl FnOnce() -> Result<P, Box<Failure>>,
    out: *mut RawElementOut,
    reports: Reports,
) -> Status
where
    P: ComponentNamedList + Lower + Arguments + Send + Sync,
    Answer<T>: ComponentNamedList + Lift + Send + Sync + 'static,
    Answer<D>: Given,
    T: Into<Option<ElementOut>>,
    D: Into<Option<Emitted>>,
{
    unsafe {
        guard(reports.raw, || {
            let instance = &mut *instance;
            let element = match instance.call(ticks_max, function, arguments()?)? {
                Outcome::Typed((Ok(result),)) => result.into().map(|element| instance.element(element)),
                Outcome::Direct((Ok(result),)) => result.into().map(|element| instance.emitted(element)),
                Outcome::Typed((Err(error),)) | Outcome::Direct((Err(error),)) => {
                    return Ok(instance.guest_error(error, reports.error));
                }
            };
            let Some(element) = element else {
                return Ok(Status::Nothing);
            };
            *out = element;
            Ok(Status::Ok)
        })
    }
}

impl From<ProcessResult> for Option<ElementOut> {
    fn from(result: ProcessResult) -> Option<ElementOut> {
        match result {
            ProcessResult::Emit(element) => Some(element),
            ProcessResult::Drop => None,
        }
    }
}

impl From<Processed> for Option<Emitted> {
    fn from(result: Processed) -> Option<Emitted> {
        match result {
            Processed::Emit(element) => Some(element),
            Processed::Drop => None,
        }
    }
}

/// An entry point whose function gives nothing back.
unsafe fn told<P>(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    function: impl FnOnce(&Functions) -> &Option<Function<P, ()>>,
    arguments: P,
    raw: *mut RawFailure,
) -> Status
where
    P: ComponentNamedList + Lower + Arguments + Send + Sync,
{
    unsafe {
        guard(raw, || {
            (&mut *instance)
                .call(ticks_max, function, arguments)
                .map(|_| Status::Ok)
        })
    }
}

fn ok_or_nothing(more: bool) -> Status {
    if more { Status::Ok } else { Status::Nothing }
}

fn ok_or_pause(signal: Signal) -> Status {
    if signal == Signal::Pause {
        Status::Pause
    } else {
        Status::Ok
    }
}

/// # Safety
/// See the header; so for all calls below.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_init(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    config: View,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.init,
            || Ok((config.text()?,)),
            Reports { error, raw },
            |_, ()| Status::Ok,
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_teardown(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    raw: *mut RawFailure,
) -> Status {
    unsafe { told(instance, ticks_max, |f| &f.teardown, (), raw) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_pull(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    out: *mut RawElementOut,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe { answer_element(instance, ticks_max, |f| &f.pull, || Ok(()), out, Reports { error, raw }) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_notify_backpressure(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    pause: bool,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        let signal = if pause { Signal::Pause } else { Signal::Ready };
        told(instance, ticks_max, |f| &f.notify_backpressure, (signal,), raw)
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_acknowledge(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    up_to: u64,
    raw: *mut RawFailure,
) -> Status {
    unsafe { told(instance, ticks_max, |f| &f.acknowledge, (up_to,), raw) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_process(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    input: *const RawElementIn,
    out: *mut RawElementOut,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer_element(
            instance,
            ticks_max,
            |f| &f.process,
            || Ok(element_in(input)),
            out,
            Reports { error, raw },
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_evaluate(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    input: *const RawElementIn,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.evaluate,
            || Ok(element_in(input)),
            Reports { error, raw },
            |_, keep| ok_or_nothing(keep),
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_route(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    input: *const RawElementIn,
    port: extern "C" fn(*mut c_void, View),
    user: *mut c_void,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.route,
            || Ok(element_in(input)),
            Reports { error, raw },
            |_, ports| {
                ports.iter().for_each(|name| port(user, View::of(name.as_bytes())));
                Status::Ok
            },
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_ingest(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    input: *const RawElementIn,
    out: *mut RawElementOut,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer_element(
            instance,
            ticks_max,
            |f| &f.ingest,
            || Ok(element_in(input)),
            out,
            Reports { error, raw },
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_flush(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    element: extern "C" fn(*mut c_void, *const RawElementOut),
    user: *mut c_void,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.flush,
            || Ok(()),
            Reports { error, raw },
            |_, results| {
                for result in results {
                    let content_type = View::of(result.meta.content_type.bytes());
                    element(
                        user,
                        &RawElementOut {
                            payload_rep: result.payload.rep(),
                            content_type,
                        },
                    );
                }
                Status::Ok
            },
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_push(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    input: *const RawElementIn,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.push,
            || Ok(element_in(input)),
            Reports { error, raw },
            |_, signal| ok_or_pause(signal),
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_complete(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.complete,
            || Ok(()),
            Reports { error, raw },
            |_, ()| Status::Ok,
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_batch_pull(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    max: u32,
    writer_rep: u32,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        let arguments = (max, Resource::new_borrow(writer_rep));
        answer(
            instance,
            ticks_max,
            |f| &f.batch_pull,
            || Ok(arguments),
            Reports { error, raw },
            |_, more| ok_or_nothing(more),
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_batch_process(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    batch_rep: u32,
    writer_rep: u32,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.batch_process,
            || Ok(run_in(batch_rep, writer_rep)),
            Reports { error, raw },
            |_, ()| Status::Ok,
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_batch_route(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    batch_rep: u32,
    writer_rep: u32,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.batch_route,
            || Ok(run_in(batch_rep, writer_rep)),
            Reports { error, raw },
            |_, ()| Status::Ok,
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_batch_ingest(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    batch_rep: u32,
    writer_rep: u32,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        answer(
            instance,
            ticks_max,
            |f| &f.batch_ingest,
            || Ok(run_in(batch_rep, writer_rep)),
            Reports { error, raw },
            |_, ()| Status::Ok,
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_batch_flush(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    writer_rep: u32,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        let arguments = (Resource::new_borrow(writer_rep),);
        answer(
            instance,
            ticks_max,
            |f| &f.batch_flush,
            || Ok(arguments),
            Reports { error, raw },
            |_, more| ok_or_nothing(more),
        )
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_call_batch_push(
    instance: *mut InstanceHandle,
    ticks_max: u64,
    batch_rep: u32,
    error: *mut GuestError,
    raw: *mut RawFailure,
) -> Status {
    unsafe {
        let arguments = (Resource::new_borrow(batch_rep),);
        answer(
            instance,
            ticks_max,
            |f| &f.batch_push,
            || Ok(arguments),
            Reports { error, raw },
            |_, signal| ok_or_pause(signal),
        )
    }
}
