//! word-count: an aggregator that counts words and, at the end of the stream, gives one element "COUNT WORD\n" a word: the most
//! frequent first, equally frequent ones in the order of their bytes. No settings.
//!
//! A word is what stands between ASCII white space; the end of an element ends a word too. Memory grows with the number of
//! different words.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-aggregation"],
    world: "torvyn:aggregation/stream-aggregator",
    generate_all,
});

use std::cell::RefCell;

use common::words::Words;
use exports::torvyn::aggregation::aggregator;
use exports::torvyn::streaming::lifecycle;
use torvyn::streaming::buffer_allocator::allocate;
use torvyn::streaming::types::*;

struct WordCount;
export!(WordCount);

thread_local! {
    static WORDS: RefCell<Words> = RefCell::default();
}

impl lifecycle::Guest for WordCount {
    fn init(_config: String) -> Result<(), ProcessError> {
        Ok(())
    }

    fn teardown() {}
}

impl aggregator::Guest for WordCount {
    fn ingest(element: StreamElement) -> Result<Option<OutputElement>, ProcessError> {
        let bytes = element.payload.read_all();
        WORDS.with_borrow_mut(|words| words.add(&bytes));
        Ok(None)
    }

    fn flush() -> Result<Vec<OutputElement>, ProcessError> {
        let lines = WORDS.with_borrow_mut(Words::take_lines);
        let output = |line: Vec<u8>| {
            let meta = ElementMeta {
                sequence: 0,
                timestamp_ns: 0,
                content_type: "text/plain".to_string(),
            };
            Ok(OutputElement {
                meta,
                payload: make_buffer(&line)?,
            })
        };
        lines.into_iter().map(output).collect()
    }
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
