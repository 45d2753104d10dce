//! The calls of WASI that wait, each beside the instance's stop.
//!
//! wasmtime-wasi's synchronous bindings sit in a wait until it is over, and no epoch reaches a guest there. What stands here takes their
//! place in the linker: the same bodies, left where they are when the stop is raised.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamResult};
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi_io::bindings::wasi::io::poll::{Host as _, HostPollable as _};
use wasmtime_wasi_io::bindings::wasi::io::streams::{
    Host as _, HostInputStream as _, HostOutputStream as _, StreamError,
};

use crate::state::{HostStop, State};
use crate::stop::Stop;

type Store<'a> = StoreContextMut<'a, State>;
type Input = Resource<DynInputStream>;
type Output = Resource<DynOutputStream>;

/// The version that wasmtime-wasi gives its interfaces: with another these would stand beside them, not in their place.
const POLL: &str = "wasi:io/poll@0.2.12";
const STREAMS: &str = "wasi:io/streams@0.2.12";

fn wait<T>(stop: &Stop, work: impl Future<Output = T>) -> Result<T> {
    in_tokio(async {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            Poll::Pending => stop.poll(context).map(|()| Err(HostStop::StopRequested.into())),
        })
        .await
    })
}

fn wait_io<T>(mut store: Store<'_>, work: impl AsyncFnOnce(&mut ResourceTable) -> Result<T>) -> Result<T> {
    let State { table, stop, .. } = store.data_mut();
    wait(stop, work(table))?
}

/// As `wait_io`, for a function of streams: its error is the guest's to see.
fn wait_stream<T>(
    mut store: Store<'_>,
    work: impl AsyncFnOnce(&mut ResourceTable) -> StreamResult<T>,
) -> Result<(std::result::Result<T, StreamError>,)> {
    let State { table, stop, .. } = store.data_mut();
    match wait(stop, work(table))? {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(table.convert_stream_error(error)?),)),
    }
}

/// Requires: WASI is in the linker.
pub fn replace(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);

    let mut poll = linker.instance(POLL)?;
    poll.func_wrap(
        "poll",
        |store: Store<'_>, (pollables,): (Vec<Resource<DynPollable>>,)| {
            Ok((wait_io(store, async |table| table.poll(pollables).await)?,))
        },
    )?;
    poll.func_wrap(
        "[method]pollable.block",
        |store: Store<'_>, (pollable,): (Resource<DynPollable>,)| {
            wait_io(store, async |table| table.block(pollable).await)
        },
    )?;

    let mut streams = linker.instance(STREAMS)?;
    streams.func_wrap(
        "[method]input-stream.blocking-read",
        |store: Store<'_>, (stream, size): (Input, u64)| {
            wait_stream(store, async |table| table.blocking_read(stream, size).await)
        },
    )?;
    streams.func_wrap(
        "[method]input-stream.blocking-skip",
        |store: Store<'_>, (stream, size): (Input, u64)| {
            wait_stream(store, async |table| table.blocking_skip(stream, size).await)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.blocking-write-and-flush",
        |store: Store<'_>, (stream, bytes): (Output, Vec<u8>)| {
            wait_stream(store, async |table| table.blocking_write_and_flush(stream, bytes).await)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.blocking-write-zeroes-and-flush",
        |store: Store<'_>, (stream, size): (Output, u64)| {
            wait_stream(store, async |table| {
                table.blocking_write_zeroes_and_flush(stream, size).await
            })
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.blocking-flush",
        |store: Store<'_>, (stream,): (Output,)| wait_stream(store, async |table| table.blocking_flush(stream).await),
    )?;
    streams.func_wrap(
        "[method]output-stream.blocking-splice",
        |store: Store<'_>, (to, from, size): (Output, Input, u64)| {
            wait_stream(store, async |table| table.blocking_splice(to, from, size).await)
        },
    )?;

    linker.allow_shadowing(false);
    Ok(())
}
