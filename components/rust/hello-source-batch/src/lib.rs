//! hello-source-batch: hello-source, in runs. The same settings.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-batching"],
    world: "torvyn:batching/batch-data-source",
    generate_all,
});

use std::cell::RefCell;

use common::hello::Hello;
use exports::torvyn::batching::batch_source;
use exports::torvyn::streaming::lifecycle;
use torvyn::batching::types::*;
use torvyn::streaming::types::BackpressureSignal;

const RUN_BYTES_MAX: usize = 256 * 1024; // of one call's elements, unless a single one is larger
const RUN_ELEMENTS_MAX: usize = 4096;

struct HelloSource;
export!(HelloSource);

struct State {
    hello: Hello,
    room: Vec<u8>,
    room_elements: usize,
    ends: Vec<u32>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

impl lifecycle::Guest for HelloSource {
    fn init(config: String) -> Result<(), ProcessError> {
        let hello = Hello::new(&config).map_err(ProcessError::InvalidInput)?;
        let room_elements = (RUN_BYTES_MAX / hello.element_bytes_max()).clamp(1, RUN_ELEMENTS_MAX);
        let room = hello.make_room(room_elements);
        STATE.set(Some(State {
            hello,
            room,
            room_elements,
            ends: Vec::with_capacity(room_elements),
        }));
        Ok(())
    }

    fn teardown() {}
}

impl batch_source::Guest for HelloSource {
    fn pull(max: u32, output: &BatchWriter) -> Result<bool, ProcessError> {
        STATE.with_borrow_mut(|state| match state {
            Some(state) => state.pull(max, output),
            None => Ok(false),
        })
    }

    fn notify_backpressure(_signal: BackpressureSignal) {}
}

impl State {
    fn pull(&mut self, max: u32, output: &BatchWriter) -> Result<bool, ProcessError> {
        let count = u64::from(max).min(self.room_elements as u64).min(self.hello.left());
        if count > 0 {
            let mut size = 0;
            self.ends.clear();
            for _ in 0..count {
                size += self.hello.write(&mut self.room[size..]);
                self.ends.push(size as u32);
            }
            output.set_content_type("text/plain");
            output
                .emit(&self.room[..size], &self.ends, &[])
                .map_err(|error| match error {
                    EmitError::CapacityExceeded => {
                        ProcessError::Internal("a run is larger than a buffer can be".to_string())
                    }
                    EmitError::AllocationFailed(_) => {
                        ProcessError::Internal("the host has no memory for a run".to_string())
                    }
                })?;
        }
        Ok(self.hello.left() > 0)
    }
}
