//! access-log-batch: access-log, in runs. No settings.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-batching"],
    world: "torvyn:batching/batch-transform",
    generate_all,
});

use common::access_log::convert;
use common::batch::{Refusal, emit_outputs, emit_run};
use exports::torvyn::batching::batch_processor::Guest;
use torvyn::batching::types::*;

struct AccessLog;
export!(AccessLog);

impl Guest for AccessLog {
    fn process(input: &Batch, output: &BatchWriter) -> Result<(), BatchError> {
        let run = input.read();
        let mut json = Vec::with_capacity(2 * run.bytes.len() + 128 * run.ends.len());
        let mut ends = Vec::with_capacity(run.ends.len());
        let mut start = 0;
        let mut failed = Ok(());
        for (index, end) in run.ends.iter().enumerate() {
            let end = *end as usize;
            if let Err(error) = convert(&run.bytes[start..end], &mut json) {
                failed = Err(BatchError {
                    index: index as u32,
                    error: ProcessError::InvalidInput(error.to_string()),
                });
                break;
            }
            start = end;
            ends.push(json.len() as u32);
        }

        // What stands before a bad line is written all the same.
        output.set_content_type("application/json");
        let mut emit = |bytes: &[u8], ends: &[u32], origins: &[u32]| {
            output.emit(bytes, ends, origins).map_err(|error| match error {
                EmitError::CapacityExceeded => Refusal::TooLarge,
                EmitError::AllocationFailed(_) => Refusal::NoMemory,
            })
        };
        let emitted = match failed {
            Ok(()) => emit_run(&json, &ends, &mut emit),
            Err(_) => emit_outputs(&json, &ends, 0..ends.len(), &mut emit),
        };
        emitted.map_err(|(index, refusal)| BatchError {
            index,
            error: ProcessError::Internal(refusal.text().to_string()),
        })?;
        failed
    }
}
