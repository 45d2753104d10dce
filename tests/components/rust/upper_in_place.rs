//! Upper case, an element at a time, written where it leaves from.

use torvyn::prelude::*;

fn upper(input: &Element, out: &mut Output) -> Result<()> {
    out.emit_with(|payload| {
        payload.extend_from_slice(input.bytes());
        payload.make_ascii_uppercase();
    });
    Ok(())
}

torvyn::processor!(upper);
