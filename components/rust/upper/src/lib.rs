//! upper: a processor that makes ASCII letters upper case. No settings.

wit_bindgen::generate!({ path: "../../../wit/torvyn-streaming", world: "transform" });

use exports::torvyn::streaming::processor::Guest;
use torvyn::streaming::buffer_allocator::allocate;
use torvyn::streaming::types::*;

struct Upper;
export!(Upper);

impl Guest for Upper {
    fn process(input: StreamElement) -> Result<ProcessResult, ProcessError> {
        let mut bytes = input.payload.read_all();
        bytes.make_ascii_uppercase();
        let payload = make_buffer(&bytes)?;
        Ok(ProcessResult::Emit(OutputElement {
            meta: input.meta,
            payload,
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
