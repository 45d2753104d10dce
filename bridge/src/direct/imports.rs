//! The contract's functions as core WebAssembly calls them: numbers in, and what is larger than one through the guest's memory.

use wasmtime::{Caller, Engine, Linker, Result, bail};

use super::abi::{slice, text, words};
use super::handles::{Dropped, Kind};
use super::memory::{bytes as memory, bytes_mut as memory_mut, copy};
use super::{calls, check_may_leave, context, put, reserve};
use crate::callbacks::{ALLOCATION_FAILED, BatchMeta, CAPACITY_EXCEEDED, Callbacks, Host, OK, OUT_OF_BOUNDS};
use crate::ffi::View;
use crate::lift::{bytes_of_words, words_of_bytes};
use crate::linker::{filled, lent, lent_slice, lent_text, must};
use crate::state::State;

type Guest<'a> = Caller<'a, State>;

// Inlined: each function the guest calls is compiled with these in it, and has nothing else to do.

/// The name that all of them are defined under.
pub const MODULE: &str = "torvyn";

#[inline(always)]
fn host(guest: &Guest<'_>) -> Result<(&'static Callbacks, Host)> {
    check_may_leave(guest.data())?;
    let host = guest.data().host;
    Ok((host.callbacks, host.host))
}

/// What a handle of the guest's stands for, and whom to ask about it.
#[inline(always)]
fn named(guest: &Guest<'_>, kind: Kind, handle: u32) -> Result<(&'static Callbacks, Host, u32)> {
    let (call, host) = host(guest)?;
    let rep = guest.data().guest.handles.rep(kind, handle)?;
    Ok((call, host, rep))
}

/// The room for a result, where the guest asked for it.
#[inline(always)]
fn room<'a>(guest: &'a mut Guest<'_>, at: u32, align: u32, size: usize) -> Result<&'a mut [u8]> {
    if at % align != 0 {
        bail!("pointer not aligned")
    }
    let start = at as usize;
    let Some(room) = memory_mut(guest)?.get_mut(start..start + size) else {
        bail!("pointer out of bounds of memory")
    };
    Ok(room)
}

#[inline(always)]
fn write(guest: &mut Guest<'_>, at: u32, align: u32, bytes: &[u8]) -> Result<()> {
    room(guest, at, align, bytes.len())?.copy_from_slice(bytes);
    Ok(())
}

fn pair(first: u32, second: u32) -> [u8; 8] {
    (u64::from(first) | u64::from(second) << 32).to_le_bytes()
}

/// A list whose elements are numbers, as the guest gets it: pointer and count.
fn put_list<T>(guest: &mut Guest<'_>, list: &[T]) -> Result<[u8; 8]> {
    // SAFETY: of numbers and of records of them without gaps, as all that are given here are, any byte may be read.
    let bytes = unsafe { std::slice::from_raw_parts(list.as_ptr().cast::<u8>(), size_of_val(list)) };
    let at = put(context(guest), align_of::<T>() as u32, bytes)?;
    Ok(pair(at, list.len() as u32))
}

fn give_list<T>(guest: &mut Guest<'_>, at: u32, list: &[T]) -> Result<()> {
    let list = put_list(guest, list)?;
    write(guest, at, 4, &list)
}

#[inline(always)]
fn check_answer(guest: &Guest<'_>, answer: u32) -> Result<()> {
    must(guest.data(), answer)
}

/// A `result` whose error is a variant with a string: the discriminants are bytes at 0 and 4, the string is at 8, and so many bytes are all of it.
/// What no case fills is left as it is.
const RESULT_BYTES: usize = 16;

fn give_error(guest: &mut Guest<'_>, at: u32, case: u8, why: Option<String>) -> Result<()> {
    let text = why.map(|why| put_list(guest, why.as_bytes())).transpose()?;
    let room = room(guest, at, 4, RESULT_BYTES)?;
    (room[0], room[4]) = (1, case);
    if let Some(text) = text {
        room[8..].copy_from_slice(&text);
    }
    Ok(())
}

/// `result<T, buffer-error>`, T being nothing or a handle.
#[inline(always)]
fn give_buffer_result(guest: &mut Guest<'_>, at: u32, answer: u32, handle: Option<u32>) -> Result<()> {
    match answer {
        OK => {
            let room = room(guest, at, 4, RESULT_BYTES)?;
            room[0] = 0;
            if let Some(handle) = handle {
                room[4..8].copy_from_slice(&handle.to_le_bytes());
            }
            Ok(())
        }
        CAPACITY_EXCEEDED => give_error(guest, at, 0, None),
        OUT_OF_BOUNDS => give_error(guest, at, 1, None),
        ALLOCATION_FAILED => {
            let why = guest.data().refusal_text();
            give_error(guest, at, 2, Some(why))
        }
        _ => Err(guest.data().refusal(answer)),
    }
}

/// `result<_, emit-error>`: its cases are numbered otherwise.
fn give_emit_result(guest: &mut Guest<'_>, at: u32, answer: u32) -> Result<()> {
    match answer {
        OK => give_buffer_result(guest, at, OK, None),
        CAPACITY_EXCEEDED => give_error(guest, at, 0, None),
        ALLOCATION_FAILED => {
            let why = guest.data().refusal_text();
            give_error(guest, at, 1, Some(why))
        }
        _ => Err(guest.data().refusal(answer)),
    }
}

fn give_text(guest: &mut Guest<'_>, at: u32, view: View) -> Result<()> {
    let text = lent_text(view)?;
    give_list(guest, at, text.as_bytes())
}

/// Own handles that the host made; one that finds no place in the table is the host's to take back with the instance.
#[inline(always)]
fn give_own(guest: &mut Guest<'_>, kind: Kind, rep: u32) -> Result<u32> {
    guest.data_mut().guest.handles.insert_own(kind, rep)
}

const TYPES: &str = "streaming/types";
const ALLOCATOR: &str = "streaming/buffer-allocator";
const BATCHING: &str = "batching/types";

/// Defines functions of one interface.
macro_rules! define {
    ($linker:ident, $interface:expr, { $($name:literal => $function:expr;)* }) => {
        $($linker.func_wrap(MODULE, &format!("{} {}", $interface, $name), $function)?;)*
    };
}

fn drops(linker: &mut Linker<State>) -> Result<()> {
    let mut drop = |interface: &str, resource: &str, kind: Kind| -> Result<()> {
        let name = format!("drop {interface} {resource}");
        let function = move |mut guest: Guest<'_>, handle: u32| -> Result<()> {
            let (call, host) = host(&guest)?;
            let Dropped::Own(rep) = guest.data_mut().guest.handles.drop(kind, handle)? else {
                return Ok(());
            };
            match kind {
                Kind::Buffer => check_answer(&guest, (call.buffer_drop)(host, rep)),
                Kind::MutableBuffer => check_answer(&guest, (call.mutable_drop)(host, rep)),
                _ => Ok(()),
            }
        };
        linker.func_wrap(MODULE, &name, function).map(|_| ())
    };
    drop(TYPES, "buffer", Kind::Buffer)?;
    drop(TYPES, "mutable-buffer", Kind::MutableBuffer)?;
    drop(TYPES, "flow-context", Kind::FlowContext)?;
    drop(BATCHING, "batch", Kind::Batch)?;
    drop(BATCHING, "batch-writer", Kind::BatchWriter)
}

#[inline(always)]
fn find(guest: &Guest<'_>, handle: u32, offset: u64, length: u64) -> Result<View> {
    let (call, host, rep) = named(guest, Kind::Buffer, handle)?;
    let mut bytes = View::EMPTY;
    check_answer(guest, (call.buffer_read)(host, rep, offset, length, &mut bytes))?;
    Ok(bytes)
}

fn read(mut guest: Guest<'_>, handle: u32, offset: u64, length: u64, at: u32) -> Result<()> {
    let bytes = find(&guest, handle, offset, length)?;
    give_list(&mut guest, at, lent(bytes))
}

/// Bytes of a buffer's between `begin read` and `end read`.
pub struct Reading(View);

impl Default for Reading {
    fn default() -> Reading {
        Reading(View::EMPTY)
    }
}

// SAFETY: used within one call of the guest's, on its thread.
unsafe impl Send for Reading {}
unsafe impl Sync for Reading {}

/// The first half of `read`: how much room the guest has to make. It may not call out until it has.
fn begin_read(mut guest: Guest<'_>, handle: u32, offset: u64, length: u64) -> Result<u32> {
    let bytes = find(&guest, handle, offset, length)?;
    let size = u32::try_from(lent(bytes).len())?;
    let state = &mut guest.data_mut().guest;
    state.reading = Reading(bytes);
    state.sealed = true;
    Ok(size)
}

fn end_read(mut guest: Guest<'_>, pointer: u32, at: u32) -> Result<()> {
    let state = &mut guest.data_mut().guest;
    state.sealed = false;
    let bytes = lent(std::mem::take(&mut state.reading).0);
    let start = pointer as usize;
    let Some(room) = memory_mut(&mut guest)?.get_mut(start..start + bytes.len()) else {
        bail!("realloc return: beyond end of memory")
    };
    copy(room, bytes);
    write(&mut guest, at, 4, &pair(pointer, bytes.len() as u32))
}

fn buffers(linker: &mut Linker<State>) -> Result<()> {
    define!(linker, TYPES, {
        "[method]buffer.size" => |guest: Guest<'_>, handle: u32| -> Result<u64> {
            let (call, host, rep) = named(&guest, Kind::Buffer, handle)?;
            let mut size = 0;
            check_answer(&guest, (call.buffer_size)(host, rep, &mut size))?;
            Ok(size)
        };
        "[method]buffer.content-type" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Buffer, handle)?;
            let mut text = View::EMPTY;
            check_answer(&guest, (call.buffer_content_type)(host, rep, &mut text))?;
            give_text(&mut guest, at, text)
        };
        "[method]buffer.read" => read;
        "[method]buffer.read-all" => |guest: Guest<'_>, handle: u32, at: u32| read(guest, handle, 0, u64::MAX, at);
        "[method]mutable-buffer.write" =>
            |mut guest: Guest<'_>, handle: u32, offset: u64, pointer: u32, length: u32, at: u32| -> Result<()> {
                let (call, host, rep) = named(&guest, Kind::MutableBuffer, handle)?;
                let bytes = View::of(slice(memory(&mut guest)?, pointer, length)?);
                let answer = (call.mutable_write)(host, rep, offset, bytes);
                give_buffer_result(&mut guest, at, answer, None)
            };
        "[method]mutable-buffer.append" =>
            |mut guest: Guest<'_>, handle: u32, pointer: u32, length: u32, at: u32| -> Result<()> {
                let (call, host, rep) = named(&guest, Kind::MutableBuffer, handle)?;
                let bytes = View::of(slice(memory(&mut guest)?, pointer, length)?);
                let answer = (call.mutable_append)(host, rep, bytes);
                give_buffer_result(&mut guest, at, answer, None)
            };
        "[method]mutable-buffer.size" => |guest: Guest<'_>, handle: u32| -> Result<u64> {
            let (call, host, rep) = named(&guest, Kind::MutableBuffer, handle)?;
            let mut size = 0;
            check_answer(&guest, (call.mutable_size)(host, rep, &mut size))?;
            Ok(size)
        };
        "[method]mutable-buffer.capacity" => |guest: Guest<'_>, handle: u32| -> Result<u64> {
            let (call, host, rep) = named(&guest, Kind::MutableBuffer, handle)?;
            let mut capacity = 0;
            check_answer(&guest, (call.mutable_capacity)(host, rep, &mut capacity))?;
            Ok(capacity)
        };
        "[method]mutable-buffer.set-content-type" =>
            |mut guest: Guest<'_>, handle: u32, pointer: u32, length: u32| -> Result<()> {
                let (call, host, rep) = named(&guest, Kind::MutableBuffer, handle)?;
                let text = View::of(text(memory(&mut guest)?, pointer, length)?.as_bytes());
                check_answer(&guest, (call.mutable_set_content_type)(host, rep, text))
            };
        "[method]mutable-buffer.freeze" => |mut guest: Guest<'_>, handle: u32| -> Result<u32> {
            let (call, host, rep) = named(&guest, Kind::MutableBuffer, handle)?;
            let mut frozen = 0;
            check_answer(&guest, (call.mutable_freeze)(host, rep, &mut frozen))?;
            give_own(&mut guest, Kind::Buffer, frozen)
        };
    });
    define!(linker, ALLOCATOR, {
        "allocate" => |mut guest: Guest<'_>, hint: u64, at: u32| -> Result<()> {
            let (call, host) = host(&guest)?;
            let mut rep = 0;
            let answer = (call.mutable_allocate)(host, hint, &mut rep);
            let handle = (answer == OK).then(|| give_own(&mut guest, Kind::MutableBuffer, rep)).transpose()?;
            give_buffer_result(&mut guest, at, answer, handle)
        };
        "clone-into-mutable" => |mut guest: Guest<'_>, source: u32, at: u32| -> Result<()> {
            let (call, host, source) = named(&guest, Kind::Buffer, source)?;
            let mut rep = 0;
            let answer = (call.mutable_clone)(host, source, &mut rep);
            let handle = (answer == OK).then(|| give_own(&mut guest, Kind::MutableBuffer, rep)).transpose()?;
            give_buffer_result(&mut guest, at, answer, handle)
        };
    });
    Ok(())
}

fn flow_context(linker: &mut Linker<State>) -> Result<()> {
    define!(linker, TYPES, {
        "[method]flow-context.trace-id" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::FlowContext, handle)?;
            let text = filled::<32>(guest.data(), |out| (call.context_trace_id)(host, rep, out))?;
            give_list(&mut guest, at, &text)
        };
        "[method]flow-context.span-id" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::FlowContext, handle)?;
            let text = filled::<16>(guest.data(), |out| (call.context_span_id)(host, rep, out))?;
            give_list(&mut guest, at, &text)
        };
        "[method]flow-context.deadline-ns" => |guest: Guest<'_>, handle: u32| -> Result<u64> {
            let (call, host, rep) = named(&guest, Kind::FlowContext, handle)?;
            let mut deadline_ns = 0;
            check_answer(&guest, (call.context_deadline_ns)(host, rep, &mut deadline_ns))?;
            Ok(deadline_ns)
        };
        "[method]flow-context.flow-id" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::FlowContext, handle)?;
            let mut text = View::EMPTY;
            check_answer(&guest, (call.context_flow_id)(host, rep, &mut text))?;
            give_text(&mut guest, at, text)
        };
    });
    Ok(())
}

/// The payloads of a run, and where they end.
fn read_run(guest: &Guest<'_>, handle: u32) -> Result<(&'static [u8], &'static [u32])> {
    let (call, host, rep) = named(guest, Kind::Batch, handle)?;
    let (mut bytes, mut ends, mut count) = (View::EMPTY, std::ptr::null(), 0);
    check_answer(guest, (call.batch_read)(host, rep, &mut bytes, &mut ends, &mut count))?;
    Ok((lent(bytes), lent_slice(ends, count)))
}

fn give_packed<T>(guest: &mut Guest<'_>, at: u32, bytes: &[u8], ends: &[T]) -> Result<()> {
    let mut packed = [0; 16];
    packed[..8].copy_from_slice(&put_list(guest, bytes)?);
    packed[8..].copy_from_slice(&put_list(guest, ends)?);
    write(guest, at, 4, &packed)
}

fn batch(linker: &mut Linker<State>) -> Result<()> {
    define!(linker, BATCHING, {
        "[method]batch.count" => |guest: Guest<'_>, handle: u32| -> Result<u32> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let mut count = 0;
            check_answer(&guest, (call.batch_count)(host, rep, &mut count))?;
            Ok(count)
        };
        "[method]batch.read" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (bytes, ends) = read_run(&guest, handle)?;
            give_packed(&mut guest, at, bytes, ends)
        };
        "[method]batch.read-bytes" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (bytes, ends) = read_run(&guest, handle)?;
            give_packed(&mut guest, at, bytes, bytes_of_words(ends))
        };
        "[method]batch.read-one" =>
            |mut guest: Guest<'_>, handle: u32, index: u32, offset: u64, length: u64, at: u32| -> Result<()> {
                let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
                let mut bytes = View::EMPTY;
                check_answer(&guest, (call.batch_read_one)(host, rep, index, offset, length, &mut bytes))?;
                give_list(&mut guest, at, lent(bytes))
            };
        "[method]batch.sizes" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let (mut sizes, mut count) = (std::ptr::null(), 0);
            check_answer(&guest, (call.batch_sizes)(host, rep, &mut sizes, &mut count))?;
            give_list(&mut guest, at, lent_slice::<u64>(sizes, count))
        };
        "[method]batch.metas" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let (mut metas, mut count) = (std::ptr::null(), 0);
            check_answer(&guest, (call.batch_metas)(host, rep, &mut metas, &mut count))?;
            give_metas(&mut guest, at, lent_slice::<BatchMeta>(metas, count))
        };
        "[method]batch.content-types" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let (mut texts, mut count) = (std::ptr::null(), 0);
            check_answer(&guest, (call.batch_content_types)(host, rep, &mut texts, &mut count))?;
            give_texts(&mut guest, at, lent_slice::<View>(texts, count))
        };
        "[method]batch.flow-id" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let mut text = View::EMPTY;
            check_answer(&guest, (call.batch_flow_id)(host, rep, &mut text))?;
            give_text(&mut guest, at, text)
        };
        "[method]batch.trace-id" => |mut guest: Guest<'_>, handle: u32, index: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let text = filled::<32>(guest.data(), |out| (call.batch_trace_id)(host, rep, index, out))?;
            give_list(&mut guest, at, &text)
        };
        "[method]batch.span-id" => |mut guest: Guest<'_>, handle: u32, at: u32| -> Result<()> {
            let (call, host, rep) = named(&guest, Kind::Batch, handle)?;
            let text = filled::<16>(guest.data(), |out| (call.batch_span_id)(host, rep, out))?;
            give_list(&mut guest, at, &text)
        };
    });
    Ok(())
}

/// Number by number: the records have a gap at their end, which is not the host's to show.
fn give_metas(guest: &mut Guest<'_>, at: u32, metas: &[BatchMeta]) -> Result<()> {
    let list = reserve(&mut context(guest), 8, metas.len() * size_of::<BatchMeta>())?;
    let room = memory_mut(guest)?;
    for (index, meta) in metas.iter().enumerate() {
        let mut start = list as usize + index * size_of::<BatchMeta>();
        for number in [meta.sequence, meta.timestamp_ns, meta.deadline_ns] {
            room[start..start + 8].copy_from_slice(&number.to_le_bytes());
            start += 8;
        }
        room[start..start + 4].copy_from_slice(&meta.content_type.to_le_bytes());
    }
    write(guest, at, 4, &pair(list, metas.len() as u32))
}

/// The list comes first, then the strings it points to.
fn give_texts(guest: &mut Guest<'_>, at: u32, texts: &[View]) -> Result<()> {
    let list = reserve(&mut context(guest), 4, texts.len() * 8)?;
    for (index, view) in texts.iter().enumerate() {
        let text = put_list(guest, lent_text(*view)?.as_bytes())?;
        write(guest, list + index as u32 * 8, 4, &text)?;
    }
    write(guest, at, 4, &pair(list, texts.len() as u32))
}

/// Whom to ask about a handle, as `named` finds it.
type Target = (&'static Callbacks, Host, u32);

fn emit((call, host, rep): Target, bytes: &[u8], ends: &[u32], origins: &[u32]) -> u32 {
    (call.writer_emit)(
        host,
        rep,
        View::of(bytes),
        ends.as_ptr(),
        ends.len() as u64,
        origins.as_ptr(),
        origins.len() as u64,
    )
}

fn forward((call, host, rep): Target, port: &str, indices: &[u32]) -> u32 {
    let port = View::of(port.as_bytes());
    (call.writer_forward)(host, rep, port, indices.as_ptr(), indices.len() as u64)
}

fn batch_writer(linker: &mut Linker<State>) -> Result<()> {
    define!(linker, BATCHING, {
        "[method]batch-writer.emit" =>
            |mut guest: Guest<'_>, handle: u32, bytes: u32, length: u32, ends: u32, count: u32, origins: u32, origin_count: u32, at: u32| -> Result<()> {
                let target = named(&guest, Kind::BatchWriter, handle)?;
                let memory = memory(&mut guest)?;
                let bytes = slice(memory, bytes, length)?;
                let (ends, origins) = (words(memory, ends, count)?, words(memory, origins, origin_count)?);
                let answer = emit(target, bytes, ends, origins);
                give_emit_result(&mut guest, at, answer)
            };
        "[method]batch-writer.emit-bytes" =>
            |mut guest: Guest<'_>, handle: u32, bytes: u32, length: u32, ends: u32, ends_length: u32, origins: u32, origins_length: u32, at: u32| -> Result<()> {
                let target = named(&guest, Kind::BatchWriter, handle)?;
                let memory = memory(&mut guest)?;
                let bytes = slice(memory, bytes, length)?;
                let (ends, origins) = (slice(memory, ends, ends_length)?, slice(memory, origins, origins_length)?);
                let answer = emit(target, bytes, &*words_of_bytes(ends)?, &*words_of_bytes(origins)?);
                give_emit_result(&mut guest, at, answer)
            };
        "[method]batch-writer.forward" => |mut guest: Guest<'_>, handle: u32, pointer: u32, count: u32| -> Result<()> {
            let target = named(&guest, Kind::BatchWriter, handle)?;
            let answer = forward(target, "output", words(memory(&mut guest)?, pointer, count)?);
            check_answer(&guest, answer)
        };
        "[method]batch-writer.forward-bytes" => |mut guest: Guest<'_>, handle: u32, pointer: u32, length: u32| -> Result<()> {
            let target = named(&guest, Kind::BatchWriter, handle)?;
            let answer = forward(target, "output", &words_of_bytes(slice(memory(&mut guest)?, pointer, length)?)?);
            check_answer(&guest, answer)
        };
        "[method]batch-writer.forward-to" =>
            |mut guest: Guest<'_>, handle: u32, port: u32, length: u32, pointer: u32, count: u32| -> Result<()> {
                let target = named(&guest, Kind::BatchWriter, handle)?;
                let memory = memory(&mut guest)?;
                let answer = forward(target, text(memory, port, length)?, words(memory, pointer, count)?);
                check_answer(&guest, answer)
            };
        "[method]batch-writer.set-content-type" =>
            |mut guest: Guest<'_>, handle: u32, pointer: u32, length: u32| -> Result<()> {
                let (call, host, rep) = named(&guest, Kind::BatchWriter, handle)?;
                let text = View::of(text(memory(&mut guest)?, pointer, length)?.as_bytes());
                check_answer(&guest, (call.writer_set_content_type)(host, rep, text))
            };
    });
    Ok(())
}

/// Levels as the contract counts them.
const LEVELS: u32 = 5;

fn log(mut guest: Guest<'_>, level: u32, pointer: u32, length: u32) -> Result<()> {
    let (call, host) = host(&guest)?;
    if level >= LEVELS {
        bail!("invalid discriminant {level}")
    }
    let text = text(memory(&mut guest)?, pointer, length)?;
    (call.log)(host, level, View::of(text.as_bytes()));
    Ok(())
}

fn has_capability(mut guest: Guest<'_>, pointer: u32, length: u32) -> Result<u32> {
    let (call, host) = host(&guest)?;
    let name = text(memory(&mut guest)?, pointer, length)?;
    Ok(u32::from((call.has_capability)(host, View::of(name.as_bytes()))))
}

pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    calls::define(&mut linker, MODULE)?;
    linker.func_wrap(MODULE, "begin read", begin_read)?;
    linker.func_wrap(MODULE, "end read", end_read)?;
    drops(&mut linker)?;
    buffers(&mut linker)?;
    flow_context(&mut linker)?;
    batch(&mut linker)?;
    batch_writer(&mut linker)?;
    linker.func_wrap(MODULE, "diagnostics/log log", log)?;
    linker.func_wrap(MODULE, "capabilities/capability-query has-capability", has_capability)?;
    Ok(linker)
}
