//! count-sink-batch: count-sink, in runs. No settings.

wit_bindgen::generate!({
    inline: "
        package torvyn:build;
        world component {
            include torvyn:batching/batch-data-sink@0.1.0;
            import torvyn:diagnostics/log@0.1.0;
        }
    ",
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-batching", "../../../wit/torvyn-diagnostics"],
    world: "torvyn:build/component",
    generate_all,
});

use std::cell::Cell;

use exports::torvyn::batching::batch_sink;
use exports::torvyn::streaming::lifecycle;
use torvyn::batching::types::*;
use torvyn::diagnostics::log::{Level, log};
use torvyn::streaming::types::BackpressureSignal;

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

impl batch_sink::Guest for CountSink {
    fn push(input: &Batch) -> Result<BackpressureSignal, BatchError> {
        let run = input.read();
        ELEMENTS.set(ELEMENTS.get() + run.ends.len() as u64);
        BYTES.set(BYTES.get() + run.bytes.len() as u64);
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
