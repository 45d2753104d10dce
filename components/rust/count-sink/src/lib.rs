//! count-sink: a sink that reads every element and logs "N elements, M bytes" when the stream is complete. No settings.

wit_bindgen::generate!({
    inline: "
        package torvyn:build;
        world component {
            include torvyn:streaming/data-sink@0.1.0;
            import torvyn:diagnostics/log@0.1.0;
        }
    ",
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-diagnostics"],
    world: "torvyn:build/component",
    generate_all,
});

use std::cell::Cell;

use exports::torvyn::streaming::{lifecycle, sink};
use torvyn::diagnostics::log::{Level, log};
use torvyn::streaming::types::*;

struct CountSink;
export!(CountSink);

thread_local! {
    static ELEMENTS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

impl lifecycle::Guest for CountSink {
    fn init(_config: String) -> Result<(), ProcessError> {
        Ok(())
    }

    fn teardown() {}
}

impl sink::Guest for CountSink {
    fn push(element: StreamElement) -> Result<BackpressureSignal, ProcessError> {
        let bytes = element.payload.read_all();
        ELEMENTS.set(ELEMENTS.get() + 1);
        BYTES.set(BYTES.get() + bytes.len() as u64);
        Ok(BackpressureSignal::Ready)
    }

    fn complete() -> Result<(), ProcessError> {
        log(
            Level::Info,
            &format!("{} elements, {} bytes", ELEMENTS.get(), BYTES.get()),
        );
        Ok(())
    }
}
