//! Upper case, a run at a time and in place.

use torvyn::prelude::*;

fn upper(run: &mut Run, out: &mut RunOutput) -> Result<(), RunError> {
    if let Some(index) = run.iter().position(|input| input.bytes() == b"bad\n") {
        for input in run.iter().take(index) {
            out.emit(input.index(), input.bytes().to_ascii_uppercase());
        }
        return Err(Error::invalid_input("it is bad").at(index));
    }
    run.bytes_mut().make_ascii_uppercase();
    out.emit_run(run);
    Ok(())
}

torvyn::batch_processor!(upper);
