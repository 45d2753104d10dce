//! The yardstick: what a good programmer writes by hand over wasmtime's typed component API to move elements from a source through
//! processors to a sink, and no more. No limits, no errors as data, no ledger: two counters of copies, to show that the guests do the
//! same work.
//!
//! typed-loop SIZE WARM COUNT SOURCE.wasm [PROCESSOR.wasm…] SINK.wasm
//!
//! Passes WARM elements of SIZE bytes, then COUNT more, and prints what those cost as one line of JSON.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::component::{
    Component, ComponentNamedList, ComponentType, Instance, Lift, Linker, LinkerInstance, Lower, Resource,
    ResourceType, TypedFunc, WasmList, WasmStr,
};
use wasmtime::{Config, Engine, Error, Result, Store, StoreContextMut};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// ---- the contract's types ------------------------------------------------------------------------------------------

struct Buffer;
struct MutableBuffer;
struct FlowContext;

#[derive(ComponentType, Lower)]
#[component(record)]
struct MetaIn<'a> {
    sequence: u64,
    #[component(name = "timestamp-ns")]
    timestamp_ns: u64,
    #[component(name = "content-type")]
    content_type: &'a str,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct ElementIn<'a> {
    meta: MetaIn<'a>,
    payload: Resource<Buffer>,
    context: Resource<FlowContext>,
}

/// The content type is a `String`, as the guest's own is freed before the caller sees the result.
#[derive(ComponentType, Lift)]
#[component(record)]
#[expect(dead_code, reason = "sequence and timestamp are the host's")]
struct MetaOut {
    sequence: u64,
    #[component(name = "timestamp-ns")]
    timestamp_ns: u64,
    #[component(name = "content-type")]
    content_type: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct ElementOut {
    meta: MetaOut,
    payload: Resource<Buffer>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
enum ProcessResult {
    #[component(name = "emit")]
    Emit(ElementOut),
    #[component(name = "drop")]
    Drop,
}

#[derive(ComponentType, Lift, Debug)]
#[component(variant)]
#[expect(dead_code, reason = "shown by Debug alone")]
enum ProcessError {
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

#[derive(ComponentType, Lower)]
#[component(variant)]
#[expect(dead_code, reason = "the variant's type demands the cases")]
enum BufferError {
    #[component(name = "capacity-exceeded")]
    CapacityExceeded,
    #[component(name = "out-of-bounds")]
    OutOfBounds,
    #[component(name = "allocation-failed")]
    AllocationFailed(String),
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "lifted by discriminant")]
enum Signal {
    #[component(name = "ready")]
    Ready,
    #[component(name = "pause")]
    Pause,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "lifted by discriminant")]
enum Level {
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

type Answer<T> = (std::result::Result<T, ProcessError>,);

// ---- buffers -------------------------------------------------------------------------------------------------------

/// Plain memory from the allocator, kept for the next element. One set for all stages: a payload moves by its number.
#[derive(Default)]
struct Buffers {
    all: Vec<Vec<u8>>,
    free: Vec<u32>,
    copies: u64,
    copied_bytes: u64,
}

impl Buffers {
    fn allocate(&mut self, size: u64) -> u32 {
        let rep = self.free.pop().unwrap_or_else(|| {
            self.all.push(Vec::new());
            self.all.len() as u32 - 1
        });
        let buffer = &mut self.all[rep as usize];
        buffer.clear();
        buffer.reserve(size as usize);
        rep
    }

    fn append(&mut self, rep: u32, bytes: &[u8]) -> std::result::Result<(), BufferError> {
        let buffer = &mut self.all[rep as usize];
        if buffer.len() + bytes.len() > buffer.capacity() {
            return Err(BufferError::CapacityExceeded);
        }
        buffer.extend_from_slice(bytes);
        self.count(bytes.len());
        Ok(())
    }

    fn read(&mut self, rep: u32, offset: u64, length: u64) -> &'static [u8] {
        let bytes = &self.all[rep as usize];
        let start = offset.min(bytes.len() as u64) as usize;
        let end = start + length.min((bytes.len() - start) as u64) as usize;
        let part = &raw const bytes[start..end];
        self.count(end - start);
        // SAFETY: it is copied into the guest before anything else happens to the buffer.
        unsafe { &*part }
    }

    fn count(&mut self, bytes: usize) {
        self.copies += 1;
        self.copied_bytes += bytes as u64;
    }
}

/// Of a store: a way to the buffers that all stores share.
struct State {
    buffers: *mut Buffers,
}

type Context<'a> = StoreContextMut<'a, State>;

fn buffers<'a>(store: &'a Context<'_>) -> &'a mut Buffers {
    // SAFETY: one thread, one call at a time; `main` keeps them as long as any store.
    unsafe { &mut *store.data().buffers }
}

// ---- imports -------------------------------------------------------------------------------------------------------

fn link_types(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.resource("buffer", ResourceType::host::<Buffer>(), |store: Context<'_>, rep| {
        buffers(&store).free.push(rep);
        Ok(())
    })?;
    // Dropped after `freeze`, which handed the same buffer on.
    types.resource(
        "mutable-buffer",
        ResourceType::host::<MutableBuffer>(),
        |_: Context<'_>, _| Ok(()),
    )?;
    types.resource(
        "flow-context",
        ResourceType::host::<FlowContext>(),
        |_: Context<'_>, _| Ok(()),
    )?;
    types.func_wrap(
        "[method]buffer.size",
        |store: Context<'_>, (buffer,): (Resource<Buffer>,)| {
            Ok((buffers(&store).all[buffer.rep() as usize].len() as u64,))
        },
    )?;
    types.func_wrap(
        "[method]buffer.content-type",
        |_: Context<'_>, (_,): (Resource<Buffer>,)| Ok(("text/plain",)),
    )?;
    types.func_wrap(
        "[method]buffer.read",
        |store: Context<'_>, (buffer, offset, length): (Resource<Buffer>, u64, u64)| {
            Ok((buffers(&store).read(buffer.rep(), offset, length),))
        },
    )?;
    types.func_wrap(
        "[method]buffer.read-all",
        |store: Context<'_>, (buffer,): (Resource<Buffer>,)| Ok((buffers(&store).read(buffer.rep(), 0, u64::MAX),)),
    )?;
    types.func_wrap(
        "[method]mutable-buffer.append",
        |store: Context<'_>, (buffer, bytes): (Resource<MutableBuffer>, WasmList<u8>)| {
            Ok((buffers(&store).append(buffer.rep(), bytes.as_le_slice(&store)),))
        },
    )?;
    types.func_wrap(
        "[method]mutable-buffer.set-content-type",
        |_: Context<'_>, (_, _): (Resource<MutableBuffer>, WasmStr)| Ok(()),
    )?;
    types.func_wrap(
        "[method]mutable-buffer.freeze",
        |_: Context<'_>, (buffer,): (Resource<MutableBuffer>,)| Ok((Resource::<Buffer>::new_own(buffer.rep()),)),
    )
}

fn link(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    link_types(&mut linker.instance("torvyn:streaming/types@0.1.0")?)?;
    linker.instance("torvyn:streaming/buffer-allocator@0.1.0")?.func_wrap(
        "allocate",
        |store: Context<'_>, (size,): (u64,)| {
            let rep = buffers(&store).allocate(size);
            Ok((Ok::<_, BufferError>(Resource::<MutableBuffer>::new_own(rep)),))
        },
    )?;
    linker
        .instance("torvyn:diagnostics/log@0.1.0")?
        .func_wrap("log", |_: Context<'_>, (_, _): (Level, WasmStr)| Ok(()))?;
    Ok(linker)
}

// ---- stages --------------------------------------------------------------------------------------------------------

struct Stage {
    store: Store<State>,
    instance: Instance,
}

impl Stage {
    fn new(linker: &Linker<State>, path: &str, config: &str, buffers: *mut Buffers) -> Result<Stage> {
        let component = Component::from_file(linker.engine(), path)?;
        let mut store = Store::new(linker.engine(), State { buffers });
        store.set_epoch_deadline(1 << 40);
        let instance = linker.instantiate(&mut store, &component)?;
        let mut stage = Stage { store, instance };
        if let Some(init) = stage.find::<(&str,), Answer<()>>("lifecycle", "init")? {
            init.call(&mut stage.store, (config,))?.0.map_err(guest_error)?;
        }
        Ok(stage)
    }

    fn find<P, R>(&mut self, interface: &str, function: &str) -> Result<Option<TypedFunc<P, R>>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let name = format!("torvyn:streaming/{interface}@0.1.0");
        let index = self.instance.get_export_index(&mut self.store, None, &name);
        let index = index.and_then(|index| self.instance.get_export_index(&mut self.store, Some(&index), function));
        index
            .map(|index| self.instance.get_typed_func(&mut self.store, index))
            .transpose()
    }

    fn function<P, R>(&mut self, interface: &str, function: &str) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        self.find(interface, function)?
            .ok_or_else(|| Error::msg(format!("no {interface}.{function} in there")))
    }
}

fn guest_error(error: ProcessError) -> Error {
    Error::msg(format!("a component reported {error:?}"))
}

/// Lends an element for one call.
fn lend(sequence: u64, element: &ElementOut) -> (ElementIn<'static>,) {
    // SAFETY: the call that it is for ends before the element does.
    let content_type = unsafe { &*std::ptr::from_ref(element.meta.content_type.as_str()) };
    let meta = MetaIn {
        sequence,
        timestamp_ns: 1,
        content_type,
    };
    let payload = Resource::new_borrow(element.payload.rep());
    (ElementIn {
        meta,
        payload,
        context: Resource::new_borrow(0),
    },)
}

struct Chain {
    source: Stage,
    pull: TypedFunc<(), Answer<Option<ElementOut>>>,
    processors: Vec<(Stage, TypedFunc<(ElementIn<'static>,), Answer<ProcessResult>>)>,
    sink: Stage,
    push: TypedFunc<(ElementIn<'static>,), Answer<Signal>>,
    buffers: *mut Buffers,
    sequence: u64,
}

impl Chain {
    fn new(linker: &Linker<State>, paths: &[String], config: &str, buffers: *mut Buffers) -> Result<Chain> {
        let [source, processors @ .., sink] = paths else {
            return Err(Error::msg("a chain has two ends"));
        };
        let mut source = Stage::new(linker, source, config, buffers)?;
        let mut sink = Stage::new(linker, sink, "", buffers)?;
        let mut found = Vec::new();
        for path in processors {
            let mut stage = Stage::new(linker, path, "", buffers)?;
            let process = stage.function("processor", "process")?;
            found.push((stage, process));
        }
        Ok(Chain {
            pull: source.function("source", "pull")?,
            push: sink.function("sink", "push")?,
            source,
            processors: found,
            sink,
            buffers,
            sequence: 0,
        })
    }

    fn release(&mut self, element: &ElementOut) {
        // SAFETY: as in `buffers`.
        unsafe { &mut *self.buffers }.free.push(element.payload.rep());
    }

    /// The loop.
    fn pass(&mut self, count: u64) -> Result<()> {
        'elements: for _ in 0..count {
            let pulled = self.pull.call(&mut self.source.store, ())?.0.map_err(guest_error)?;
            let mut element = pulled.ok_or_else(|| Error::msg("the source ended early"))?;
            for at in 0..self.processors.len() {
                let (stage, process) = &mut self.processors[at];
                let input = lend(self.sequence, &element);
                let result = process.call(&mut stage.store, input)?.0.map_err(guest_error)?;
                self.release(&element);
                match result {
                    ProcessResult::Emit(output) => element = output,
                    ProcessResult::Drop => continue 'elements,
                }
            }
            let input = lend(self.sequence, &element);
            self.push.call(&mut self.sink.store, input)?.0.map_err(guest_error)?;
            self.release(&element);
            self.sequence += 1;
        }
        Ok(())
    }
}

// ---- measuring -----------------------------------------------------------------------------------------------------

fn now_ns(clock: i32) -> u64 {
    #[repr(C)]
    struct Time {
        seconds: i64,
        ns: i64,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut Time) -> i32;
    }
    let mut time = Time { seconds: 0, ns: 0 };
    unsafe { clock_gettime(clock, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.ns as u64
}

const CLOCK_MONOTONIC: i32 = 1;
const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || Error::msg("usage: typed-loop SIZE WARM COUNT SOURCE.wasm [PROCESSOR.wasm…] SINK.wasm");
    let [size, warm, count, paths @ ..] = arguments.as_slice() else {
        return Err(usage());
    };
    let (warm, count): (u64, u64) = (warm.parse()?, count.parse()?);

    // As the runtime's own: synchronous, interruptible.
    let mut config = Config::new();
    config.concurrency_support(false).epoch_interruption(true);
    let linker = link(&Engine::new(&config)?)?;
    let settings = format!(r#"{{"count":{},"size":{size}}}"#, warm + count);
    let buffers = Box::into_raw(Box::new(Buffers::default()));
    let mut chain = Chain::new(&linker, paths, &settings, buffers)?;
    chain.pass(warm)?;

    // SAFETY: as in `buffers`.
    let counts = || unsafe {
        (
            (*buffers).copies,
            (*buffers).copied_bytes,
            ALLOCATIONS.load(Ordering::Relaxed),
        )
    };
    let before = counts();
    let (wall_ns, cpu_ns) = (now_ns(CLOCK_MONOTONIC), now_ns(CLOCK_PROCESS_CPUTIME_ID));
    chain.pass(count)?;
    let (wall_ns, cpu_ns) = (
        now_ns(CLOCK_MONOTONIC) - wall_ns,
        now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns,
    );
    let after = counts();
    println!(
        r#"{{"elements":{count},"wall_ns":{wall_ns},"cpu_ns":{cpu_ns},"host_allocations":0,"engine_allocations":{},"copies":{},"copied_bytes":{}}}"#,
        after.2 - before.2,
        after.0 - before.0,
        after.1 - before.1,
    );
    Ok(())
}
