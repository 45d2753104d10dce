//! Gives every element `times` times over (main setting; 3), the element's words apart where `words` is true. An element
//! "none" becomes nothing, "bad" is an error, "large" an output of `large` bytes.

use torvyn::prelude::*;

struct Repeats {
    times: usize,
    words: bool,
    large: usize,
}

impl Processor for Repeats {
    fn new(settings: &Settings) -> Result<Self> {
        let settings = settings.main("times");
        Ok(Repeats {
            times: settings.get_or("times", 3)?,
            words: settings.get_or("words", false)?,
            large: settings.get_or("large", 0)?,
        })
    }

    fn process(&mut self, input: &Element, out: &mut Output) -> Result<()> {
        match input.text()?.trim_end() {
            "none" => return Ok(()),
            "bad" => return Err(Error::invalid_input("it is bad")),
            "large" => {
                out.emit_with(|payload| payload.extend_from_slice(&vec![b'x'; self.large]));
                return Ok(());
            }
            _ => {}
        }
        for _ in 0..self.times {
            if self.words {
                for word in input.text()?.split_whitespace() {
                    out.emit_with(|payload| writeln!(payload, "{word}"));
                }
            } else {
                out.emit(input.bytes());
            }
        }
        Ok(())
    }
}

torvyn::processor!(type Repeats);
