//! What a stage says when it cannot do its work.

use std::fmt;

/// An error about one element (or, [`Error::Fatal`], about the stage). The component lives on: what becomes of the
/// element, the node's `on_error` says.
///
/// `?` makes [`Error::Internal`] of any other error; where the element is to blame, say so with
/// [`or_invalid`](OrError::or_invalid).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// This element is not what the stage can work on. Asking again would not help.
    InvalidInput(String),
    /// Not now: something the stage needs is away. From a source: nothing yet, ask again.
    Unavailable(String),
    /// The stage failed on this element.
    Internal(String),
    /// The element's deadline passed.
    DeadlineExceeded,
    /// The stage cannot go on. The flow ends.
    Fatal(String),
}

/// `Result<()>` is what most functions of a stage return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn invalid_input(text: impl fmt::Display) -> Error {
        Error::InvalidInput(text.to_string())
    }

    pub fn unavailable(text: impl fmt::Display) -> Error {
        Error::Unavailable(text.to_string())
    }

    pub fn internal(text: impl fmt::Display) -> Error {
        Error::Internal(text.to_string())
    }

    pub fn fatal(text: impl fmt::Display) -> Error {
        Error::Fatal(text.to_string())
    }

    /// For [`BatchProcessor`](crate::BatchProcessor): this error, about element `index` of the run.
    pub fn at(self, index: usize) -> RunError {
        RunError { index, error: self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidInput(text) => write!(out, "invalid-input: {text}"),
            Error::Unavailable(text) => write!(out, "unavailable: {text}"),
            Error::Internal(text) => write!(out, "internal: {text}"),
            Error::DeadlineExceeded => out.write_str("deadline-exceeded"),
            Error::Fatal(text) => write!(out, "fatal: {text}"),
        }
    }
}

// `Error` itself is no `std::error::Error`: this would then overlap with `From<Error> for Error`.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Error {
        Error::internal(error)
    }
}

/// An error about one element of a run. What was emitted for elements before `index` stands, the rest is void; the host
/// deals with that element and calls again with those behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    pub index: usize,
    pub error: Error,
}

/// Says what kind of [`Error`] another error is: `text.parse::<u64>().or_invalid()?`.
pub trait OrError<T> {
    fn or_invalid(self) -> Result<T>;
    fn or_unavailable(self) -> Result<T>;
    fn or_fatal(self) -> Result<T>;
}

impl<T, E: fmt::Display> OrError<T> for std::result::Result<T, E> {
    fn or_invalid(self) -> Result<T> {
        self.map_err(Error::invalid_input)
    }

    fn or_unavailable(self) -> Result<T> {
        self.map_err(Error::unavailable)
    }

    fn or_fatal(self) -> Result<T> {
        self.map_err(Error::fatal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_makes_an_internal_error() {
        fn parse(text: &str) -> Result<u32> {
            Ok(text.parse::<u32>()?)
        }
        assert_eq!(parse("7"), Ok(7));
        let text = "internal: invalid digit found in string";
        assert_eq!(parse("x").unwrap_err().to_string(), text);
    }

    #[test]
    fn the_kind_can_be_said() {
        let parsed = || "x".parse::<u32>();
        let text = "invalid digit found in string".to_string();
        assert_eq!(
            parsed().or_invalid(),
            Err(Error::InvalidInput(text.clone()))
        );
        assert_eq!(
            parsed().or_unavailable(),
            Err(Error::Unavailable(text.clone()))
        );
        assert_eq!(parsed().or_fatal(), Err(Error::Fatal(text)));
    }
}
