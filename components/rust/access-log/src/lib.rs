//! access-log: a processor that turns lines of a web server's access log into JSON, of type application/json. A line
//! that cannot be read is invalid-input, with what is wrong and at which byte. No settings. common's `access_log` says
//! what becomes of what.

wit_bindgen::generate!({ path: "../../../wit/torvyn-streaming", world: "transform" });

use common::access_log::convert;
use exports::torvyn::streaming::processor::Guest;
use torvyn::streaming::buffer_allocator::allocate;
use torvyn::streaming::types::*;

struct AccessLog;
export!(AccessLog);

impl Guest for AccessLog {
    fn process(input: StreamElement) -> Result<ProcessResult, ProcessError> {
        let line = input.payload.read_all();
        let mut json = Vec::with_capacity(2 * line.len() + 128);
        convert(&line, &mut json).map_err(|error| ProcessError::InvalidInput(error.to_string()))?;
        let meta = ElementMeta {
            content_type: "application/json".to_string(),
            ..input.meta
        };
        Ok(ProcessResult::Emit(OutputElement {
            meta,
            payload: make_buffer(&json)?,
        }))
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
