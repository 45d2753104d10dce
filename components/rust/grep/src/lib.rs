//! grep: a filter that keeps the elements containing a text, byte for byte.
//!
//! Settings: `pattern`, the text (main setting; needed); `invert=true` keeps the others.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-filtering"],
    world: "torvyn:filtering/content-filter",
    generate_all,
});

use std::cell::RefCell;

use common::grep::Grep;
use exports::torvyn::filtering::filter;
use exports::torvyn::streaming::lifecycle;
use torvyn::streaming::types::*;

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

impl filter::Guest for GrepFilter {
    fn evaluate(element: StreamElement) -> Result<bool, ProcessError> {
        let bytes = element.payload.read_all();
        Ok(GREP.with_borrow(|grep| grep.as_ref().is_some_and(|grep| grep.keeps(&bytes))))
    }
}
