//! grep-batch: grep, in runs. The same settings.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-batching"],
    world: "torvyn:batching/managed-batch-transform",
    generate_all,
});

use std::cell::RefCell;

use common::grep::Grep;
use exports::torvyn::batching::batch_processor;
use exports::torvyn::streaming::lifecycle;
use torvyn::batching::types::*;

struct GrepFilter;
export!(GrepFilter);

thread_local! {
    static GREP: RefCell<Option<Grep>> = const { RefCell::new(None) };
}

impl lifecycle::Guest for GrepFilter {
    fn init(config: String) -> Result<(), ProcessError> {
        GREP.set(Some(Grep::new(&config).map_err(ProcessError::InvalidInput)?));
        Ok(())
    }

    fn teardown() {}
}

impl batch_processor::Guest for GrepFilter {
    fn process(input: &Batch, output: &BatchWriter) -> Result<(), BatchError> {
        let run = input.read();
        let mut kept = Vec::with_capacity(run.ends.len());
        GREP.with_borrow(|grep| {
            let Some(grep) = grep else { return };
            let mut start = 0;
            for (index, end) in run.ends.iter().enumerate() {
                let end = *end as usize;
                if grep.keeps(&run.bytes[start..end]) {
                    kept.push(index as u32);
                }
                start = end;
            }
        });
        output.forward(&kept);
        Ok(())
    }
}
