//! {{name}}: every element in capital letters.

use torvyn::prelude::*;

/// Called with one element after the other. It may emit nothing, one output or several; an error is about this element,
/// and the flow's `on_error` says what becomes of it.
fn shout(input: &Element, out: &mut Output) -> Result<()> {
    out.emit(input.text()?.to_uppercase());
    Ok(())
}

torvyn::processor!(shout);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn letters_become_capitals() {
        let ran = testing::process(shout, ["hello\n", "grüße\n"]);
        assert_eq!(ran.outputs, ["HELLO\n", "GRÜSSE\n"]);
        assert_eq!(ran.error, None);
    }

    #[test]
    fn what_is_no_text_is_an_error_about_that_element() {
        let ran = testing::process(shout, [b"fine".as_slice(), b"\xff"]);
        assert_eq!(ran.outputs, ["FINE"]);
        let error = Error::invalid_input("not UTF-8 at byte 0");
        assert_eq!(ran.error, Some(error.at(1)));
    }
}
