//! What stands behind a component in a pipeline, `pattern=ERR`, or in its node's `config`.

use std::cell::{Cell, RefCell};
use std::fmt::Display;

use crate::{Error, Result};

/// The settings that a stage was given: a flat JSON object, or bare text, which is the main setting. Errors name the
/// setting and what it should be. Settings that nobody asked for are refused, with the nearest name that somebody did
/// ask for.
///
/// ```
/// # use torvyn::prelude::*;
/// struct Grep {
///     pattern: String,
///     invert: bool,
/// }
///
/// impl Grep {
///     fn new(settings: &Settings) -> Result<Self> {
///         let settings = settings.main("pattern"); // `./grep.wasm ERR` means `pattern=ERR`
///         Ok(Grep {
///             pattern: settings.need("pattern")?,
///             invert: settings.get_or("invert", false)?,
///         })
///     }
/// }
/// # let grep = Grep::new(&Settings::parse("{\"pattern\": \"ERR\"}")?)?;
/// # assert!(grep.pattern == "ERR" && !grep.invert);
/// # Ok::<(), Error>(())
/// ```
pub struct Settings {
    config: String,
    given: Vec<(String, String)>,
    /// Names that were asked for.
    known: RefCell<Vec<&'static str>>,
    main: Cell<Option<&'static str>>,
    taken_whole: Cell<bool>,
}

/// The key of a setting without a name.
const UNNAMED: &str = "";

impl Settings {
    /// Reads what a component's `init` is given. [`Error::InvalidInput`] where it begins as JSON and is none.
    pub fn parse(config: &str) -> Result<Settings> {
        let text = config.trim_ascii();
        let given = if text.is_empty() {
            Vec::new()
        } else if text.starts_with('{') {
            Json { text, at: 0 }.read_object()?
        } else {
            vec![(UNNAMED.to_string(), config.to_string())]
        };
        Ok(Settings {
            config: config.to_string(),
            given,
            known: RefCell::default(),
            main: Cell::new(None),
            taken_whole: Cell::new(false),
        })
    }

    /// Says which setting bare text means.
    pub fn main(&self, name: &'static str) -> &Settings {
        self.main.set(Some(name));
        self
    }

    /// The setting of that name, if it was given. Lists and tables can be had as their JSON text, as `String`.
    pub fn get<T: Setting>(&self, name: &'static str) -> Result<Option<T>> {
        self.known.borrow_mut().push(name);
        let is_main = self.main.get() == Some(name);
        let found = |key: &str| self.given.iter().find(|(given, _)| given == key);
        let text = found(name).or_else(|| found(UNNAMED).filter(|_| is_main));
        let Some((_, text)) = text else {
            return Ok(None);
        };
        match T::from_text(text) {
            Some(value) => Ok(Some(value)),
            None => fail(format!("`{name}` is \"{text}\", not {}", T::WHAT)),
        }
    }

    pub fn get_or<T: Setting>(&self, name: &'static str, otherwise: T) -> Result<T> {
        Ok(self.get(name)?.unwrap_or(otherwise))
    }

    /// The same, where the stage cannot do without.
    pub fn need<T: Setting>(&self, name: &'static str) -> Result<T> {
        match self.get(name)? {
            Some(value) => Ok(value),
            None => fail(format!("no `{name}`: give {name}=…, {}", T::WHAT)),
        }
    }

    /// All of it as it was given, for a stage that reads it with a parser of its own.
    pub fn whole(&self) -> &str {
        self.taken_whole.set(true);
        &self.config
    }

    /// Refuses what nobody asked for.
    pub(crate) fn check_all_known(&self) -> Result<()> {
        if self.taken_whole.get() {
            return Ok(());
        }
        let known = self.known.borrow();
        let is_known =
            |given: &str| known.contains(&given) || (given == UNNAMED && self.main.get().is_some());
        let Some((name, text)) = self.given.iter().find(|(given, _)| !is_known(given)) else {
            return Ok(());
        };
        let what = match name.as_str() {
            UNNAMED => format!("no setting is meant by \"{text}\" alone"),
            name => format!("unknown setting `{name}`"),
        };
        if known.is_empty() {
            return fail(format!("{what}: this component has no settings"));
        }
        let nearest = known
            .iter()
            .map(|known| (distance(name, known), known))
            .min();
        match nearest {
            Some((distance, near)) if distance <= name.len().max(3) / 3 => {
                fail(format!("{what}, did you mean `{near}`?"))
            }
            _ => fail(format!("{what}: there are `{}`", known.join("`, `"))),
        }
    }
}

fn fail<T>(text: impl Display) -> Result<T> {
    Err(Error::invalid_input(text))
}

/// Makes a stage as the contract's `init` does.
pub(crate) fn init<T>(new: impl FnOnce(&Settings) -> Result<T>, config: &str) -> Result<T> {
    let settings = Settings::parse(config)?;
    let made = new(&settings);
    // A misspelt name is most likely why the stage finds something missing: it is told first.
    settings.check_all_known()?;
    made
}

/// What a setting can be read as.
pub trait Setting: Sized {
    /// As in "`count` is "ten", not a whole number".
    const WHAT: &'static str;
    fn from_text(text: &str) -> Option<Self>;
}

impl Setting for String {
    const WHAT: &'static str = "a text";

    fn from_text(text: &str) -> Option<String> {
        Some(text.to_string())
    }
}

macro_rules! parsed_settings {
    ($($type:ty => $what:literal,)*) => {
        $(impl Setting for $type {
            const WHAT: &'static str = $what;

            fn from_text(text: &str) -> Option<$type> {
                text.parse().ok()
            }
        })*
    };
}

parsed_settings! {
    bool => "true or false",
    char => "one character",
    f64 => "a number",
    i64 => "a whole number",
    i32 => "a whole number from -2147483648 to 2147483647",
    u64 => "a whole number from 0 on",
    usize => "a whole number from 0 on",
    u32 => "a whole number from 0 to 4294967295",
    u16 => "a whole number from 0 to 65535",
    u8 => "a whole number from 0 to 255",
}

/// How many letters have to be changed, added or taken away to make one name of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..b.len() {
            let changed = diagonal + usize::from(letter != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// A reader of one flat JSON object. Values that are no texts are kept as they stand; null is as if it were not there.
struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl Json<'_> {
    fn read_object(mut self) -> Result<Vec<(String, String)>> {
        let mut given = Vec::new();
        self.expect(b'{')?;
        if self.peek() != Some(b'}') {
            loop {
                let name = self.read_text()?;
                self.expect(b':')?;
                if let Some(value) = self.read_value()? {
                    given.push((name, value));
                }
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.expect(b'}')?;
        match self.peek() {
            None => Ok(given),
            Some(_) => self.wrong("nothing behind the object"),
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return self.wrong(&format!("`{}`", byte as char));
        }
        self.at += 1;
        Ok(())
    }

    fn wrong<T>(&self, wanted: &str) -> Result<T> {
        fail(format!(
            "the settings are not JSON: {wanted} is expected at byte {}",
            self.at
        ))
    }

    fn read_value(&mut self) -> Result<Option<String>> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => return self.read_text().map(Some),
            Some(b'{' | b'[') => self.skip_nested()?,
            _ => {
                let rest = &self.text[start..];
                let is_end = |letter: char| ",}] \t\n\r".contains(letter);
                self.at += rest.find(is_end).unwrap_or(rest.len());
            }
        }
        let value = &self.text[start..self.at];
        let is_known = matches!(first, Some(b'{' | b'['))
            || matches!(value, "true" | "false" | "null")
            || value.parse::<f64>().is_ok_and(f64::is_finite);
        if !is_known {
            self.at = start;
            return self.wrong("a value");
        }
        Ok(Some(value)
            .filter(|value| *value != "null")
            .map(str::to_string))
    }

    fn skip_nested(&mut self) -> Result<()> {
        let mut depth = 0;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.read_text()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth -= 1,
                Some(_) => {}
                None => return self.wrong("the end of a list or table"),
            }
            self.at += self.text[self.at..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn read_text(&mut self) -> Result<String> {
        self.expect(b'"')?;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(letter) = rest.chars().next() else {
                return self.wrong("the end of a text");
            };
            self.at += letter.len_utf8();
            match letter {
                '"' => return Ok(text),
                '\\' => text.push(self.read_escape()?),
                letter => text.push(letter),
            }
        }
    }

    fn read_escape(&mut self) -> Result<char> {
        let letter = self.text[self.at..].chars().next();
        self.at += letter.map_or(0, char::len_utf8);
        Ok(match letter {
            Some(letter @ ('"' | '\\' | '/')) => letter,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.read_hex()?;
                let is_pair =
                    (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u");
                let code = if is_pair {
                    self.at += 2;
                    let second = self.read_hex()?;
                    0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff)
                } else {
                    first
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return self.wrong("a known escape"),
        })
    }

    fn read_hex(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.wrong("four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(config: &str) -> Settings {
        Settings::parse(config).unwrap()
    }

    fn refusal<T>(result: Result<T>) -> String {
        match result {
            Err(Error::InvalidInput(text)) => text,
            Err(other) => panic!("another error: {other}"),
            Ok(_) => panic!("no error"),
        }
    }

    #[test]
    fn values_are_read_as_what_is_wanted() {
        let given = settings(r#" {"a":"x y", "n": 7, "t": true,"f":"-0.5", "no": null} "#);
        assert_eq!(given.need::<String>("a").unwrap(), "x y");
        assert_eq!(given.need::<u8>("n").unwrap(), 7);
        assert_eq!(given.get::<bool>("t").unwrap(), Some(true));
        assert_eq!(given.get_or("f", 1.0).unwrap(), -0.5);
        assert_eq!(given.get::<u64>("no").unwrap(), None);
        assert_eq!(given.get_or("other", 9u64).unwrap(), 9);
        given.check_all_known().unwrap();
    }

    #[test]
    fn a_wrong_value_is_told_with_what_it_should_be() {
        let given = settings(r#"{"count":"ten"}"#);
        let text = refusal(given.get::<u64>("count"));
        assert_eq!(text, "`count` is \"ten\", not a whole number from 0 on");
        assert_eq!(
            refusal(given.need::<char>("comma")),
            "no `comma`: give comma=…, one character"
        );
    }

    #[test]
    fn bare_text_is_the_main_setting() {
        for config in ["ERR", r#"{"":"ERR"}"#, r#"{"pattern":"ERR"}"#] {
            let given = settings(config);
            assert_eq!(
                given.main("pattern").need::<String>("pattern").unwrap(),
                "ERR"
            );
            given.check_all_known().unwrap();
        }
        let given = settings("ERR");
        assert_eq!(given.get::<String>("pattern").unwrap(), None);
        let text = refusal(given.check_all_known());
        assert_eq!(
            text,
            "no setting is meant by \"ERR\" alone: there are `pattern`"
        );
    }

    #[test]
    fn unknown_settings_are_refused_with_the_nearest_name() {
        let given = settings(r#"{"patern":"ERR"}"#);
        let text = refusal(given.check_all_known());
        assert_eq!(
            text,
            "unknown setting `patern`: this component has no settings"
        );
        given.get::<String>("pattern").unwrap();
        given.get::<bool>("invert").unwrap();
        let text = refusal(given.check_all_known());
        assert_eq!(text, "unknown setting `patern`, did you mean `pattern`?");
        let given = settings(r#"{"colour":"red"}"#);
        given.get::<String>("pattern").unwrap();
        given.get::<bool>("invert").unwrap();
        let text = refusal(given.check_all_known());
        assert_eq!(
            text,
            "unknown setting `colour`: there are `pattern`, `invert`"
        );
    }

    #[test]
    fn whoever_takes_it_whole_checks_it_alone() {
        let config = r#"{"fields":["a","b"],"to":{"x":"}"}}"#;
        let given = settings(config);
        assert_eq!(given.need::<String>("fields").unwrap(), r#"["a","b"]"#);
        assert_eq!(given.need::<String>("to").unwrap(), r#"{"x":"}"}"#);
        let given = settings(r#"{"other":1}"#);
        assert_eq!(given.whole(), r#"{"other":1}"#);
        given.check_all_known().unwrap();
    }

    #[test]
    fn escapes_become_what_they_mean() {
        let given = settings(r#"{"a":"\"\\\/\n\t\u00e9\ud83d\ude00\ud800é"}"#);
        assert_eq!(given.need::<String>("a").unwrap(), "\"\\/\n\té😀\u{fffd}é");
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let cases = [
            (r#"{"a" 1}"#, "`:` is expected at byte 5"),
            (r#"{"a":1"#, "`}` is expected at byte 6"),
            (r#"{"a":x}"#, "a value is expected at byte 5"),
            (r#"{"a":"x}"#, "the end of a text is expected at byte 8"),
            (r#"{"a":[1}"#, "`}` is expected at byte 8"),
            (
                r#"{"a":{"b":1"#,
                "the end of a list or table is expected at byte 11",
            ),
            (r#"{"a":"\q"}"#, "a known escape is expected at byte 8"),
            (
                r#"{"a":"\u12"}"#,
                "four hexadecimal digits is expected at byte 8",
            ),
            (
                r#"{"a":1} {"#,
                "nothing behind the object is expected at byte 8",
            ),
        ];
        for (config, text) in cases {
            let wanted = format!("the settings are not JSON: {text}");
            assert_eq!(refusal(Settings::parse(config)), wanted, "{config}");
        }
    }

    #[test]
    fn a_misspelt_name_is_told_before_what_is_missing_for_it() {
        let new = |settings: &Settings| settings.need::<String>("pattern");
        let text = refusal(init(new, r#"{"patern":"ERR"}"#));
        assert_eq!(text, "unknown setting `patern`, did you mean `pattern`?");
        assert_eq!(
            refusal(init(new, "")),
            "no `pattern`: give pattern=…, a text"
        );
        assert_eq!(init(new, r#"{"pattern":"ERR"}"#), Ok("ERR".to_string()));
    }

    #[test]
    fn names_are_as_far_apart_as_the_letters_to_change() {
        assert_eq!(distance("pattern", "pattern"), 0);
        assert_eq!(distance("patern", "pattern"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
