//! {{name}}: keeps the elements that contain a text. Settings: `pattern` (the main one; needed), `invert`.

use torvyn::prelude::*;

struct Grep {
    pattern: String,
    invert: bool,
}

impl Filter for Grep {
    fn new(settings: &Settings) -> Result<Self> {
        let settings = settings.main("pattern"); // `./{{name}}.wasm ERROR` means `pattern=ERROR`
        Ok(Grep {
            pattern: settings.need("pattern")?,
            invert: settings.get_or("invert", false)?,
        })
    }

    /// What is kept is passed on as it is, without a copy.
    fn keep(&mut self, input: &Element) -> Result<bool> {
        Ok(input.text()?.contains(&self.pattern) != self.invert)
    }
}

torvyn::filter!(type Grep);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    const LINES: [&str; 3] = ["ERROR disk full", "INFO started", "ERROR no route"];

    #[test]
    fn elements_with_the_pattern_are_kept() {
        let mut grep = testing::init(Grep::new, "ERROR").unwrap();
        let ran = testing::filter(|input| grep.keep(input), LINES);
        assert_eq!(ran.outputs, ["ERROR disk full", "ERROR no route"]);
    }

    #[test]
    fn inverted_it_keeps_the_others() {
        let config = r#"{"pattern": "ERROR", "invert": "true"}"#;
        let mut grep = testing::init(Grep::new, config).unwrap();
        let ran = testing::filter(|input| grep.keep(input), LINES);
        assert_eq!(ran.outputs, ["INFO started"]);
    }

    #[test]
    fn without_a_pattern_it_does_not_start() {
        assert!(testing::init(Grep::new, "").is_err());
    }
}
