//! hello-source: a source of the lines "hello 0", "hello 1", … of type text/plain.
//!
//! Settings: `count`, how many (main setting; 10); `size`, the least bytes of an element, filled with dots before its
//! line's end.

wit_bindgen::generate!({ path: "../../../wit/torvyn-streaming", world: "data-source" });

use std::cell::RefCell;

use common::hello::Hello;
use exports::torvyn::streaming::{lifecycle, source};
use torvyn::streaming::buffer_allocator::allocate;
use torvyn::streaming::types::*;

struct HelloSource;
export!(HelloSource);

struct State {
    hello: Hello,
    room: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

impl lifecycle::Guest for HelloSource {
    fn init(config: String) -> Result<(), ProcessError> {
        let hello = Hello::new(&config).map_err(ProcessError::InvalidInput)?;
        let room = hello.make_room(1);
        STATE.set(Some(State { hello, room }));
        Ok(())
    }

    fn teardown() {}
}

impl source::Guest for HelloSource {
    fn pull() -> Result<Option<OutputElement>, ProcessError> {
        STATE.with_borrow_mut(|state| match state {
            Some(State { hello, room }) if hello.left() > 0 => {
                let size = hello.write(room);
                let meta = ElementMeta {
                    sequence: 0,
                    timestamp_ns: 0,
                    content_type: "text/plain".to_string(),
                };
                Ok(Some(OutputElement {
                    meta,
                    payload: make_buffer(&room[..size])?,
                }))
            }
            _ => Ok(None),
        })
    }

    fn notify_backpressure(_signal: BackpressureSignal) {}
}

fn make_buffer(bytes: &[u8]) -> Result<Buffer, ProcessError> {
    let fill = || {
        let buffer = allocate(bytes.len() as u64)?;
        buffer.append(bytes)?;
        Ok(buffer.freeze())
    };
    fill().map_err(|error| match error {
        BufferError::AllocationFailed(_) => ProcessError::Internal("the host has no memory for the output".to_string()),
        _ => ProcessError::Internal("the output is larger than a buffer can be".to_string()),
    })
}
