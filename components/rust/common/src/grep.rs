//! Keeps the elements that contain a text.

use crate::settings::{Settings, flag};

pub struct Grep {
    pattern: Vec<u8>,
    invert: bool,
}

impl Grep {
    /// Reads `pattern` (main setting; needed) and `invert` (false).
    pub fn new(config: &str) -> Result<Grep, String> {
        let settings = Settings::parse(config)?;
        let invert = settings.get("invert").map_or(Ok(false), |text| flag("invert", &text))?;
        let pattern = settings.main("pattern").ok_or("no pattern: give pattern=TEXT")?;
        Ok(Grep {
            pattern: pattern.into_bytes(),
            invert,
        })
    }

    pub fn keeps(&self, bytes: &[u8]) -> bool {
        contains(bytes, &self.pattern) != self.invert
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    let Some((first, _)) = text.split_first() else {
        return true;
    };
    let Some(last) = bytes.len().checked_sub(text.len()) else {
        return false;
    };
    let mut at = 0;
    while let Some(found) = bytes[at..=last].iter().position(|byte| byte == first) {
        at += found;
        if &bytes[at..at + text.len()] == text {
            return true;
        }
        at += 1;
        if at > last {
            return false;
        }
    }
    false
}
