//! Settings of a component: what `init` is given.
//!
//! A flat JSON object, `{"pattern": "ERR", "invert": true}`, or bare text, which is the component's main setting. On
//! the command line `./grep.wasm pattern=ERR` becomes the former, and `./grep.wasm ERR` an object whose key is "".

use serde_json::Value;

/// A component's settings. Errors are texts for `invalid-input`.
pub enum Settings {
    Object(serde_json::Map<String, Value>),
    Bare(String),
}

impl Settings {
    pub fn parse(config: &str) -> Result<Settings, String> {
        let text = config.trim_ascii();
        if text.is_empty() {
            return Ok(Settings::Object(Default::default()));
        }
        if !text.starts_with('{') {
            return Ok(Settings::Bare(config.to_string()));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) if object.values().all(|value| !value.is_array() && !value.is_object()) => {
                Ok(Settings::Object(object))
            }
            _ => Err("the settings are not a flat JSON object".to_string()),
        }
    }

    fn named(&self, name: &str) -> Option<String> {
        let Settings::Object(object) = self else { return None };
        object.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// The setting that bare text and the key "" mean too.
    pub fn main(&self, name: &str) -> Option<String> {
        match self {
            Settings::Bare(text) => Some(text.clone()),
            Settings::Object(_) => self.named(name).or_else(|| self.named("")),
        }
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.named(name)
    }
}

/// A whole number without a sign.
pub fn number(name: &str, text: &str, what: &str) -> Result<u64, String> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits_only { text.parse().ok() } else { None };
    number.ok_or_else(|| format!("`{name}` is \"{text}\", not {what}"))
}

/// "true" or "false".
pub fn flag(name: &str, text: &str) -> Result<bool, String> {
    text.parse()
        .map_err(|_| format!("`{name}` is \"{text}\", not true or false"))
}
