//! word-count: an aggregator that counts words and, at the end of the stream, gives one element "COUNT WORD\n" a word:
//! the most frequent first, equally frequent ones in the order of their bytes. No settings.
//!
//! A word is what stands between ASCII white space; the end of an element ends a word too. Memory grows with the
//! number of different words. Takes and gives runs: one element a call could hand over no more results at the end than
//! it may hold handles.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-batching"],
    world: "torvyn:batching/batch-stream-aggregator",
    generate_all,
});

use std::cell::RefCell;

use common::words::Words;
use exports::torvyn::batching::batch_aggregator;
use exports::torvyn::streaming::lifecycle;
use torvyn::batching::types::*;

/// Results of one call at the end of the stream.
const FLUSH_LINES_MAX: usize = 1024;

struct WordCount;
export!(WordCount);

thread_local! {
    static WORDS: RefCell<Words> = RefCell::default();
    /// What is still to be given out, once the stream has ended.
    static LINES: RefCell<Option<std::vec::IntoIter<Vec<u8>>>> = const { RefCell::new(None) };
}

impl lifecycle::Guest for WordCount {
    fn init(_config: String) -> Result<(), ProcessError> {
        Ok(())
    }

    fn teardown() {}
}

impl batch_aggregator::Guest for WordCount {
    fn ingest(input: &Batch, _output: &BatchWriter) -> Result<(), BatchError> {
        let run = input.read();
        WORDS.with_borrow_mut(|words| {
            let mut start = 0;
            for end in run.ends {
                words.add(&run.bytes[start..end as usize]);
                start = end as usize;
            }
        });
        Ok(())
    }

    fn flush(output: &BatchWriter) -> Result<bool, ProcessError> {
        LINES.with_borrow_mut(|lines| {
            let lines = lines.get_or_insert_with(|| WORDS.with_borrow_mut(Words::take_lines).into_iter());
            let (mut bytes, mut ends) = (Vec::new(), Vec::new());
            for line in lines.by_ref().take(FLUSH_LINES_MAX) {
                bytes.extend_from_slice(&line);
                ends.push(bytes.len() as u32);
            }
            output.set_content_type("text/plain");
            let emitted = output.emit(&bytes, &ends, &[]);
            emitted.map_err(|_| ProcessError::Internal("the host did not take the counts".to_string()))?;
            Ok(lines.len() > 0)
        })
    }
}
