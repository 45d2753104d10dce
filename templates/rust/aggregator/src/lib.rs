//! {{name}}: counts the words that lines begin with; at the end of the stream the counts become elements.

use std::collections::BTreeMap;

use torvyn::prelude::*;

struct Count {
    counts: BTreeMap<String, u64>,
}

impl Aggregator for Count {
    fn new(_: &Settings) -> Result<Self> {
        Ok(Count {
            counts: BTreeMap::new(),
        })
    }

    /// Takes one element in. It could emit here, too: every hundredth time, say.
    fn ingest(&mut self, input: &Element, _: &mut Output) -> Result<()> {
        let Some(word) = input.text()?.split_whitespace().next() else {
            return Err(Error::invalid_input("an empty line"));
        };
        match self.counts.get_mut(word) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(word.to_string(), 1);
            }
        }
        Ok(())
    }

    /// Called once, at the end of the stream.
    fn flush(&mut self, out: &mut Output) -> Result<()> {
        for (word, count) in &self.counts {
            out.emit_with(|line| writeln!(line, "{count} {word}"));
        }
        Ok(())
    }
}

torvyn::aggregator!(type Count);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn counts_come_at_the_end() {
        let count = testing::init(Count::new, "").unwrap();
        let ran = testing::aggregate(count, ["WARN a\n", "INFO b\n", "WARN c\n"]);
        assert_eq!(ran.outputs, ["1 INFO\n", "2 WARN\n"]);
    }

    #[test]
    fn an_empty_line_is_an_error_and_the_others_stand() {
        let count = testing::init(Count::new, "").unwrap();
        let ran = testing::aggregate(count, ["INFO a\n", "\n"]);
        assert_eq!(ran.error.unwrap().index, 1);
    }
}
