//! {{name}}: gives the numbers from `from` (1) up to `to` (10).

use torvyn::prelude::*;

struct Numbers {
    next: u64,
    last: u64,
}

impl Source for Numbers {
    fn new(settings: &Settings) -> Result<Self> {
        let next = settings.get_or("from", 1)?;
        let last = settings.get_or("to", 10)?;
        if next > last {
            let text = format!("`from` is {next}, more than `to`, which is {last}");
            return Err(Error::InvalidInput(text));
        }
        Ok(Numbers { next, last })
    }

    /// Called for one element after the other, until it says that there are no more.
    fn pull(&mut self, out: &mut Output) -> Result<Next> {
        out.set_content_type("text/plain");
        out.emit_with(|line| writeln!(line, "{}", self.next));
        if self.next == self.last {
            return Ok(Next::End);
        }
        self.next += 1;
        Ok(Next::More)
    }
}

torvyn::source!(type Numbers);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn it_counts_and_ends() {
        let config = r#"{"from": 3, "to": 5}"#;
        let (elements, ended) = testing::pull(testing::init(Numbers::new, config).unwrap());
        assert_eq!(elements, ["3\n", "4\n", "5\n"]);
        assert_eq!(elements[0].content_type, "text/plain");
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn it_does_not_start_backwards() {
        assert!(testing::init(Numbers::new, r#"{"from": 2, "to": 1}"#).is_err());
    }
}
