//! Passes elements on, but panics over the one that `at` says (main setting), as `how` says.

use torvyn::prelude::*;

struct Panics {
    at: u64,
    how: String,
}

impl Processor for Panics {
    fn new(settings: &Settings) -> Result<Self> {
        let settings = settings.main("at");
        let how: String = settings.get_or("how", "panic".to_string())?;
        assert!(how != "init", "I cannot start");
        Ok(Panics {
            at: settings.need("at")?,
            how,
        })
    }

    fn process(&mut self, input: &Element, out: &mut Output) -> Result<()> {
        if input.sequence() == self.at {
            let text = input.text()?;
            match self.how.as_str() {
                "panic" => panic!("I cannot shout this: {text:?}"),
                "lines" => panic!("one\ntwo: {text}"),
                "unwrap" => drop(text.parse::<u8>().unwrap()),
                _ => drop(text.as_bytes()[self.at as usize + 1000]),
            }
        }
        out.forward(input);
        Ok(())
    }
}

torvyn::processor!(type Panics);
