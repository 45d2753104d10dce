//! Upper case by the contract of one element a call. "twice" becomes two outputs, which that contract has no place for;
//! "same" is passed on.

use torvyn::prelude::*;

fn upper(input: &Element, out: &mut Output) -> Result<()> {
    match input.bytes() {
        b"same\n" => out.forward(input),
        b"none\n" => {}
        b"bad\n" => return Err(Error::invalid_input("it is bad")),
        bytes => out.emit(bytes.to_ascii_uppercase()),
    }
    if input.bytes() == b"twice\n" {
        out.emit("again");
    }
    Ok(())
}

torvyn::processor!(upper, per_element);
