//! upper-batch: upper, in runs. No settings.

wit_bindgen::generate!({
    path: ["../../../wit/torvyn-streaming", "../../../wit/torvyn-batching"],
    world: "torvyn:batching/batch-transform",
    generate_all,
});

use common::batch::{Refusal, emit_run};
use exports::torvyn::batching::batch_processor::Guest;
use torvyn::batching::types::*;

struct Upper;
export!(Upper);

impl Guest for Upper {
    fn process(input: &Batch, output: &BatchWriter) -> Result<(), BatchError> {
        let mut run = input.read();
        run.bytes.make_ascii_uppercase();
        let mut emit = |bytes: &[u8], ends: &[u32], origins: &[u32]| {
            output.emit(bytes, ends, origins).map_err(|error| match error {
                EmitError::CapacityExceeded => Refusal::TooLarge,
                EmitError::AllocationFailed(_) => Refusal::NoMemory,
            })
        };
        emit_run(&run.bytes, &run.ends, &mut emit).map_err(|(index, refusal)| BatchError {
            index,
            error: ProcessError::Internal(refusal.text().to_string()),
        })
    }
}
