//! What a store carries: the host behind it, its limits, and the WASI it may see.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, async_trait};

use crate::callbacks::{Callbacks, Host};
use crate::direct::Guest;
use crate::ffi::{Failure, View};
use crate::grants::Grants;
use crate::network::Gate;
use crate::requests::Requests;
use crate::stop::Stop;

/// The host of one instance: which functions, and for whom.
#[derive(Clone, Copy)]
pub struct HostRef {
    pub callbacks: &'static Callbacks,
    pub host: Host,
}

// SAFETY: an instance, and so everything that calls through this, is used by one thread at a time; the header says so.
unsafe impl Send for HostRef {}
unsafe impl Sync for HostRef {}

/// Why the host ended a call. Travels through the engine as an error and is found again by type.
#[derive(Debug)]
pub enum HostStop {
    TimeUsedUp,
    StopRequested,
    Refused { code: u32, message: String },
}

impl std::fmt::Display for HostStop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostStop::TimeUsedUp => f.write_str("the call used up its time"),
            HostStop::StopRequested => f.write_str("the component was stopped"),
            HostStop::Refused { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for HostStop {}

/// Bytes a table entry is charged with.
const TABLE_ENTRY_BYTES: u64 = 8;

/// What the guests of one engine have together.
pub struct EngineMemory {
    bytes: AtomicU64,
    max_bytes: u64,
}

impl EngineMemory {
    /// 0 is no bound.
    pub fn new(max_bytes: u64) -> EngineMemory {
        EngineMemory {
            bytes: AtomicU64::new(0),
            max_bytes: if max_bytes == 0 { u64::MAX } else { max_bytes },
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn take(&self, more: u64) -> bool {
        let fits = |bytes: u64| bytes.checked_add(more).filter(|total| *total <= self.max_bytes);
        self.bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// All memories and tables of one instance against one figure, and with those of its engine's other instances against another.
pub struct Limiter {
    pub bytes: u64,
    pub max_bytes: u64,
    /// What was last asked for in vain.
    pub refused_bytes: u64,
    /// Whether it was the engine's figure that was in the way.
    pub engine_full: bool,
    /// How often a memory was to grow.
    pub memory_growths: u64,
    engine: Arc<EngineMemory>,
}

impl Limiter {
    fn grow(&mut self, more: u64) -> bool {
        let total = self.bytes.checked_add(more).filter(|total| *total <= self.max_bytes);
        let fits = total.is_some() && self.engine.take(more);
        if fits {
            self.bytes += more;
        } else {
            self.refused_bytes = more;
            self.engine_full = total.is_some();
        }
        fits
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.engine.give_back(self.bytes);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.memory_growths += 1;
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.refused_bytes = (desired - current) as u64;
            return Ok(false);
        }
        Ok(self.grow((desired - current) as u64))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow((desired - current) as u64 * TABLE_ENTRY_BYTES))
    }
}

pub struct State {
    pub host: HostRef,
    pub limiter: Limiter,
    /// Times the epoch may still move on in this call.
    pub ticks_left: u64,
    pub stop: Arc<Stop>,
    /// Reused by batch.content-types.
    pub texts: Vec<&'static str>,
    pub table: ResourceTable,
    /// What was granted, where WASI has no error to refuse with.
    pub clocks: bool,
    pub random: bool,
    pub tcp: bool,
    pub udp: bool,
    /// The names that were looked up, by the stream of their addresses.
    pub lookups: HashMap<u32, String>,
    pub requests: Requests,
    pub guest: Guest,
    wasi: WasiCtx,
    // Last to be set and first to be shut: checks of addresses may be asked for by helper threads.
    gate: Gate,
}

impl Drop for State {
    fn drop(&mut self) {
        self.gate.shut();
    }
}

impl State {
    /// # Safety
    /// As `Grants::open`.
    pub unsafe fn new(
        host: HostRef,
        max_memory_bytes: u64,
        engine_memory: Arc<EngineMemory>,
        stop: Arc<Stop>,
        grants: &Grants,
    ) -> Result<State, Box<Failure>> {
        // What is granted and nothing else. Output goes to the host, which knows whether it leaves it.
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(GuestOutput { host, stream: 1 })
            .stderr(GuestOutput { host, stream: 2 });
        unsafe { grants.open(&mut wasi) }?;
        let gate = Gate::open(host);
        gate.guard(&mut wasi);
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(grants.handles_max).unwrap_or(usize::MAX));
        Ok(State {
            host,
            limiter: Limiter {
                bytes: 0,
                max_bytes: max_memory_bytes,
                refused_bytes: 0,
                engine_full: false,
                memory_growths: 0,
                engine: engine_memory,
            },
            ticks_left: 0,
            stop,
            texts: Vec::new(),
            table,
            clocks: grants.clocks,
            random: grants.random,
            tcp: grants.tcp,
            udp: grants.udp,
            lookups: HashMap::new(),
            requests: Requests::new(gate.clone()),
            guest: Guest::default(),
            wasi: wasi.build(),
            gate,
        })
    }

    pub fn may_request(&self, name: &str, port: u16) -> bool {
        (self.host.callbacks.may_request)(self.host.host, View::of(name.as_bytes()), port)
    }

    /// A refusal as an error that ends the guest's call.
    pub fn refusal(&self, answer: u32) -> wasmtime::Error {
        let code = answer.saturating_sub(crate::callbacks::REFUSED);
        HostStop::Refused {
            code,
            message: self.refusal_text(),
        }
        .into()
    }

    pub fn refusal_text(&self) -> String {
        let mut text = View::EMPTY;
        (self.host.callbacks.refusal)(self.host.host, &mut text);
        String::from_utf8_lossy(unsafe { text.bytes() }).into_owned()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Called each time the epoch has moved on while the guest runs, and only then: so waiting in a WASI call costs a guest at most one
/// tick of its time.
pub fn on_tick(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    if state.stop.is_raised() {
        return Err(HostStop::StopRequested.into());
    }
    if state.ticks_left == 0 {
        return Err(HostStop::TimeUsedUp.into());
    }
    state.ticks_left -= 1;
    Ok(UpdateDeadline::Continue(1))
}

/// A guest's stdout or stderr: every write goes to the host at once, which bounds what it keeps.
#[derive(Clone, Copy)]
struct GuestOutput {
    host: HostRef,
    stream: u32,
}

/// Most bytes taken in one write.
const WRITE_MAX: usize = 64 * 1024;

impl GuestOutput {
    fn pass_on(&self, bytes: &[u8]) {
        (self.host.callbacks.output)(self.host.host, self.stream, View::of(bytes));
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(*self)
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.pass_on(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_MAX)
    }
}

impl tokio::io::AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.pass_on(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
