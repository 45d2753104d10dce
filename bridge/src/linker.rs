//! What components import: the contract's functions over the host's callbacks, and WASI beside them.

use wasmtime::Engine;
use wasmtime::Result;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType, WasmList, WasmStr};

use crate::callbacks::{ALLOCATION_FAILED, BatchMeta, CAPACITY_EXCEEDED, Callbacks, Host, OK, OUT_OF_BOUNDS};
use crate::ffi::View;
use crate::files;
use crate::grants;
use crate::lift::{
    Batch, BatchWriter, Buffer, BufferError, EmitError, FlowContext, Level, MutableBuffer, Packed, PackedBytes,
    bytes_of_words, words_of_bytes,
};
use crate::network;
use crate::requests;
use crate::state::State;
use crate::waiting;

type Store<'a> = StoreContextMut<'a, State>;

fn host<'a>(store: &Store<'a>) -> (&'static Callbacks, Host) {
    let host = store.data().host;
    (host.callbacks, host.host)
}

/// Anything but OK traps: for callbacks that have no error of their own in the contract.
pub fn must(state: &State, answer: u32) -> Result<()> {
    if answer == OK {
        Ok(())
    } else {
        Err(state.refusal(answer))
    }
}

fn buffer_result<T>(store: &Store<'_>, answer: u32, value: T) -> Result<std::result::Result<T, BufferError>> {
    match answer {
        OK => Ok(Ok(value)),
        CAPACITY_EXCEEDED => Ok(Err(BufferError::CapacityExceeded)),
        OUT_OF_BOUNDS => Ok(Err(BufferError::OutOfBounds)),
        ALLOCATION_FAILED => Ok(Err(BufferError::AllocationFailed(store.data().refusal_text()))),
        _ => Err(store.data().refusal(answer)),
    }
}

/// Host memory as a slice to be lowered. The lifetime is a promise of the header: valid and unchanged until it has been copied.
pub fn lent(view: View) -> &'static [u8] {
    unsafe { view.bytes() }
}

pub fn lent_text(view: View) -> Result<&'static str> {
    Ok(std::str::from_utf8(lent(view))?)
}

/// As `lent`, for typed arrays.
pub fn lent_slice<T>(data: *const T, count: u64) -> &'static [T] {
    if count == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(data, usize::try_from(count).unwrap_or(0)) }
}

/// Exactly N ASCII characters, filled in by the host.
pub fn filled<const N: usize>(state: &State, fill: impl FnOnce(*mut u8) -> u32) -> Result<[u8; N]> {
    let mut text = [b'0'; N];
    let answer = fill(text.as_mut_ptr());
    must(state, answer)?;
    Ok(text)
}

fn filled_text<const N: usize>(store: &Store<'_>, fill: impl FnOnce(*mut u8) -> u32) -> Result<String> {
    let text = filled::<N>(store.data(), fill)?;
    Ok(std::str::from_utf8(&text)?.to_owned())
}

fn streaming_types(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.resource("buffer", ResourceType::host::<Buffer>(), |store: Store<'_>, rep| {
        let (call, host) = host(&store);
        must(store.data(), (call.buffer_drop)(host, rep))
    })?;
    types.resource(
        "mutable-buffer",
        ResourceType::host::<MutableBuffer>(),
        |store: Store<'_>, rep| {
            let (call, host) = host(&store);
            must(store.data(), (call.mutable_drop)(host, rep))
        },
    )?;
    types.resource(
        "flow-context",
        ResourceType::host::<FlowContext>(),
        |_: Store<'_>, _| Ok(()),
    )?;

    types.func_wrap(
        "[method]buffer.size",
        |store: Store<'_>, (buffer,): (Resource<Buffer>,)| {
            let (call, host) = host(&store);
            let mut size = 0;
            must(store.data(), (call.buffer_size)(host, buffer.rep(), &mut size))?;
            Ok((size,))
        },
    )?;
    types.func_wrap(
        "[method]buffer.content-type",
        |store: Store<'_>, (buffer,): (Resource<Buffer>,)| {
            let (call, host) = host(&store);
            let mut text = View::EMPTY;
            must(store.data(), (call.buffer_content_type)(host, buffer.rep(), &mut text))?;
            Ok((lent_text(text)?,))
        },
    )?;
    types.func_wrap(
        "[method]buffer.read",
        |store: Store<'_>, (buffer, offset, length): (Resource<Buffer>, u64, u64)| {
            let (call, host) = host(&store);
            let mut bytes = View::EMPTY;
            must(
                store.data(),
                (call.buffer_read)(host, buffer.rep(), offset, length, &mut bytes),
            )?;
            Ok((lent(bytes),))
        },
    )?;
    types.func_wrap(
        "[method]buffer.read-all",
        |store: Store<'_>, (buffer,): (Resource<Buffer>,)| {
            let (call, host) = host(&store);
            let mut bytes = View::EMPTY;
            must(
                store.data(),
                (call.buffer_read)(host, buffer.rep(), 0, u64::MAX, &mut bytes),
            )?;
            Ok((lent(bytes),))
        },
    )?;

    types.func_wrap(
        "[method]mutable-buffer.write",
        |store: Store<'_>, (buffer, offset, bytes): (Resource<MutableBuffer>, u64, WasmList<u8>)| {
            let (call, host) = host(&store);
            let view = View::of(bytes.as_le_slice(&store));
            let answer = (call.mutable_write)(host, buffer.rep(), offset, view);
            Ok((buffer_result(&store, answer, ())?,))
        },
    )?;
    types.func_wrap(
        "[method]mutable-buffer.append",
        |store: Store<'_>, (buffer, bytes): (Resource<MutableBuffer>, WasmList<u8>)| {
            let (call, host) = host(&store);
            let view = View::of(bytes.as_le_slice(&store));
            let answer = (call.mutable_append)(host, buffer.rep(), view);
            Ok((buffer_result(&store, answer, ())?,))
        },
    )?;
    types.func_wrap(
        "[method]mutable-buffer.size",
        |store: Store<'_>, (buffer,): (Resource<MutableBuffer>,)| {
            let (call, host) = host(&store);
            let mut size = 0;
            must(store.data(), (call.mutable_size)(host, buffer.rep(), &mut size))?;
            Ok((size,))
        },
    )?;
    types.func_wrap(
        "[method]mutable-buffer.capacity",
        |store: Store<'_>, (buffer,): (Resource<MutableBuffer>,)| {
            let (call, host) = host(&store);
            let mut capacity = 0;
            must(store.data(), (call.mutable_capacity)(host, buffer.rep(), &mut capacity))?;
            Ok((capacity,))
        },
    )?;
    types.func_wrap(
        "[method]mutable-buffer.set-content-type",
        |store: Store<'_>, (buffer, text): (Resource<MutableBuffer>, WasmStr)| {
            let (call, host) = host(&store);
            let text = text.to_str(&store)?;
            must(
                store.data(),
                (call.mutable_set_content_type)(host, buffer.rep(), View::of(text.as_bytes())),
            )
        },
    )?;
    types.func_wrap(
        "[method]mutable-buffer.freeze",
        |store: Store<'_>, (buffer,): (Resource<MutableBuffer>,)| {
            let (call, host) = host(&store);
            let mut frozen = 0;
            must(store.data(), (call.mutable_freeze)(host, buffer.rep(), &mut frozen))?;
            Ok((Resource::<Buffer>::new_own(frozen),))
        },
    )?;

    types.func_wrap(
        "[method]flow-context.trace-id",
        |store: Store<'_>, (context,): (Resource<FlowContext>,)| {
            let (call, host) = host(&store);
            Ok((filled_text::<32>(&store, |out| {
                (call.context_trace_id)(host, context.rep(), out)
            })?,))
        },
    )?;
    types.func_wrap(
        "[method]flow-context.span-id",
        |store: Store<'_>, (context,): (Resource<FlowContext>,)| {
            let (call, host) = host(&store);
            Ok((filled_text::<16>(&store, |out| {
                (call.context_span_id)(host, context.rep(), out)
            })?,))
        },
    )?;
    types.func_wrap(
        "[method]flow-context.deadline-ns",
        |store: Store<'_>, (context,): (Resource<FlowContext>,)| {
            let (call, host) = host(&store);
            let mut deadline_ns = 0;
            must(
                store.data(),
                (call.context_deadline_ns)(host, context.rep(), &mut deadline_ns),
            )?;
            Ok((deadline_ns,))
        },
    )?;
    types.func_wrap(
        "[method]flow-context.flow-id",
        |store: Store<'_>, (context,): (Resource<FlowContext>,)| {
            let (call, host) = host(&store);
            let mut text = View::EMPTY;
            must(store.data(), (call.context_flow_id)(host, context.rep(), &mut text))?;
            Ok((lent_text(text)?,))
        },
    )
}

fn buffer_allocator(allocator: &mut LinkerInstance<'_, State>) -> Result<()> {
    allocator.func_wrap("allocate", |store: Store<'_>, (hint,): (u64,)| {
        let (call, host) = host(&store);
        let mut rep = 0;
        let answer = (call.mutable_allocate)(host, hint, &mut rep);
        Ok((buffer_result(&store, answer, ())?.map(|()| Resource::<MutableBuffer>::new_own(rep)),))
    })?;
    allocator.func_wrap(
        "clone-into-mutable",
        |store: Store<'_>, (source,): (Resource<Buffer>,)| {
            let (call, host) = host(&store);
            let mut rep = 0;
            let answer = (call.mutable_clone)(host, source.rep(), &mut rep);
            Ok((buffer_result(&store, answer, ())?.map(|()| Resource::<MutableBuffer>::new_own(rep)),))
        },
    )
}

fn batch(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.resource("batch", ResourceType::host::<Batch>(), |_: Store<'_>, _| Ok(()))?;
    types.func_wrap(
        "[method]batch.count",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let mut count = 0;
            must(store.data(), (call.batch_count)(host, batch.rep(), &mut count))?;
            Ok((count,))
        },
    )?;
    types.func_wrap(
        "[method]batch.read",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let (mut bytes, mut ends, mut count) = (View::EMPTY, std::ptr::null(), 0);
            must(
                store.data(),
                (call.batch_read)(host, batch.rep(), &mut bytes, &mut ends, &mut count),
            )?;
            Ok((Packed {
                bytes: lent(bytes),
                ends: lent_slice(ends, count),
            },))
        },
    )?;
    types.func_wrap(
        "[method]batch.read-bytes",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let (mut bytes, mut ends, mut count) = (View::EMPTY, std::ptr::null(), 0);
            must(
                store.data(),
                (call.batch_read)(host, batch.rep(), &mut bytes, &mut ends, &mut count),
            )?;
            Ok((PackedBytes {
                bytes: lent(bytes),
                ends: bytes_of_words(lent_slice(ends, count)),
            },))
        },
    )?;
    types.func_wrap(
        "[method]batch.read-one",
        |store: Store<'_>, (batch, index, offset, length): (Resource<Batch>, u32, u64, u64)| {
            let (call, host) = host(&store);
            let mut bytes = View::EMPTY;
            must(
                store.data(),
                (call.batch_read_one)(host, batch.rep(), index, offset, length, &mut bytes),
            )?;
            Ok((lent(bytes),))
        },
    )?;
    types.func_wrap(
        "[method]batch.sizes",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let (mut sizes, mut count) = (std::ptr::null(), 0);
            must(
                store.data(),
                (call.batch_sizes)(host, batch.rep(), &mut sizes, &mut count),
            )?;
            Ok((lent_slice::<u64>(sizes, count),))
        },
    )?;
    types.func_wrap(
        "[method]batch.metas",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let (mut metas, mut count) = (std::ptr::null(), 0);
            must(
                store.data(),
                (call.batch_metas)(host, batch.rep(), &mut metas, &mut count),
            )?;
            Ok((lent_slice::<BatchMeta>(metas, count),))
        },
    )?;
    types.func_wrap(
        "[method]batch.content-types",
        |mut store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let (mut texts, mut count) = (std::ptr::null(), 0);
            must(
                store.data(),
                (call.batch_content_types)(host, batch.rep(), &mut texts, &mut count),
            )?;
            let state = store.data_mut();
            state.texts.clear();
            for view in lent_slice::<View>(texts, count) {
                state.texts.push(lent_text(*view)?);
            }
            // The list lives in the store's state, which stays where it is while the result is lowered.
            Ok((lent_slice(state.texts.as_ptr(), state.texts.len() as u64),))
        },
    )?;
    types.func_wrap(
        "[method]batch.flow-id",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            let mut text = View::EMPTY;
            must(store.data(), (call.batch_flow_id)(host, batch.rep(), &mut text))?;
            Ok((lent_text(text)?,))
        },
    )?;
    types.func_wrap(
        "[method]batch.trace-id",
        |store: Store<'_>, (batch, index): (Resource<Batch>, u32)| {
            let (call, host) = host(&store);
            Ok((filled_text::<32>(&store, |out| {
                (call.batch_trace_id)(host, batch.rep(), index, out)
            })?,))
        },
    )?;
    types.func_wrap(
        "[method]batch.span-id",
        |store: Store<'_>, (batch,): (Resource<Batch>,)| {
            let (call, host) = host(&store);
            Ok((filled_text::<16>(&store, |out| {
                (call.batch_span_id)(host, batch.rep(), out)
            })?,))
        },
    )
}

fn emit(
    store: &Store<'_>,
    rep: u32,
    bytes: &[u8],
    ends: &[u32],
    origins: &[u32],
) -> Result<std::result::Result<(), EmitError>> {
    let (call, host) = host(store);
    let answer = (call.writer_emit)(
        host,
        rep,
        View::of(bytes),
        ends.as_ptr(),
        ends.len() as u64,
        origins.as_ptr(),
        origins.len() as u64,
    );
    match answer {
        OK => Ok(Ok(())),
        CAPACITY_EXCEEDED => Ok(Err(EmitError::CapacityExceeded)),
        ALLOCATION_FAILED => Ok(Err(EmitError::AllocationFailed(store.data().refusal_text()))),
        _ => Err(store.data().refusal(answer)),
    }
}

fn forward(store: &Store<'_>, rep: u32, port: &str, indices: &[u32]) -> Result<()> {
    let (call, host) = host(store);
    must(
        store.data(),
        (call.writer_forward)(
            host,
            rep,
            View::of(port.as_bytes()),
            indices.as_ptr(),
            indices.len() as u64,
        ),
    )
}

fn batch_writer(types: &mut LinkerInstance<'_, State>) -> Result<()> {
    types.resource(
        "batch-writer",
        ResourceType::host::<BatchWriter>(),
        |_: Store<'_>, _| Ok(()),
    )?;
    types.func_wrap(
        "[method]batch-writer.emit",
        |store: Store<'_>,
         (writer, bytes, ends, origins): (Resource<BatchWriter>, WasmList<u8>, WasmList<u32>, WasmList<u32>)| {
            let (bytes, ends, origins) = (
                bytes.as_le_slice(&store),
                ends.as_le_slice(&store),
                origins.as_le_slice(&store),
            );
            Ok((emit(&store, writer.rep(), bytes, ends, origins)?,))
        },
    )?;
    types.func_wrap(
        "[method]batch-writer.emit-bytes",
        |store: Store<'_>,
         (writer, bytes, ends, origins): (Resource<BatchWriter>, WasmList<u8>, WasmList<u8>, WasmList<u8>)| {
            let (bytes, ends, origins) = (
                bytes.as_le_slice(&store),
                words_of_bytes(ends.as_le_slice(&store))?,
                words_of_bytes(origins.as_le_slice(&store))?,
            );
            Ok((emit(&store, writer.rep(), bytes, &ends, &origins)?,))
        },
    )?;
    types.func_wrap(
        "[method]batch-writer.forward",
        |store: Store<'_>, (writer, indices): (Resource<BatchWriter>, WasmList<u32>)| {
            forward(&store, writer.rep(), "output", indices.as_le_slice(&store))
        },
    )?;
    types.func_wrap(
        "[method]batch-writer.forward-bytes",
        |store: Store<'_>, (writer, indices): (Resource<BatchWriter>, WasmList<u8>)| {
            let indices = words_of_bytes(indices.as_le_slice(&store))?;
            forward(&store, writer.rep(), "output", &indices)
        },
    )?;
    types.func_wrap(
        "[method]batch-writer.forward-to",
        |store: Store<'_>, (writer, port, indices): (Resource<BatchWriter>, WasmStr, WasmList<u32>)| {
            let port = port.to_str(&store)?;
            forward(&store, writer.rep(), &port, indices.as_le_slice(&store))
        },
    )?;
    types.func_wrap(
        "[method]batch-writer.set-content-type",
        |store: Store<'_>, (writer, text): (Resource<BatchWriter>, WasmStr)| {
            let (call, host) = host(&store);
            let text = text.to_str(&store)?;
            must(
                store.data(),
                (call.writer_set_content_type)(host, writer.rep(), View::of(text.as_bytes())),
            )
        },
    )
}

/// Everything a component may import.
pub fn build(engine: &Engine) -> Result<Linker<State>> {
    let mut linker: Linker<State> = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    waiting::replace(&mut linker)?;
    grants::replace(&mut linker)?;
    files::replace(&mut linker)?;
    network::replace(&mut linker)?;
    requests::add(&mut linker)?;
    streaming_types(&mut linker.instance("torvyn:streaming/types@0.1.0")?)?;
    buffer_allocator(&mut linker.instance("torvyn:streaming/buffer-allocator@0.1.0")?)?;
    let mut batching = linker.instance("torvyn:batching/types@0.1.0")?;
    batch(&mut batching)?;
    batch_writer(&mut batching)?;
    linker.instance("torvyn:diagnostics/log@0.1.0")?.func_wrap(
        "log",
        |store: Store<'_>, (level, text): (Level, WasmStr)| {
            let (call, host) = host(&store);
            let text = text.to_str(&store)?;
            (call.log)(host, level as u32, View::of(text.as_bytes()));
            Ok(())
        },
    )?;
    linker
        .instance("torvyn:capabilities/capability-query@0.1.0")?
        .func_wrap("has-capability", |store: Store<'_>, (name,): (WasmStr,)| {
            let (call, host) = host(&store);
            let name = name.to_str(&store)?;
            Ok(((call.has_capability)(host, View::of(name.as_bytes())),))
        })?;
    Ok(linker)
}
