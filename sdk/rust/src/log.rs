//! Words for whoever runs the flow. They go to the host, which shows them as `[node] text`; in tests to stderr. Needs no
//! grant. (`println!` goes nowhere in a component.)

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// What [`info!`](crate::info) and the others call.
pub fn log(level: Level, text: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::guest::log(level, text);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{level:?}: {text}");
}

/// Logs as `println!` prints: `trace!("{count} so far")`.
#[macro_export]
macro_rules! trace {
    ($($text:tt)*) => { $crate::log($crate::Level::Trace, &::std::format!($($text)*)) };
}

/// As [`trace!`](crate::trace).
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => { $crate::log($crate::Level::Debug, &::std::format!($($text)*)) };
}

/// As [`trace!`](crate::trace).
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::log($crate::Level::Info, &::std::format!($($text)*)) };
}

/// As [`trace!`](crate::trace).
#[macro_export]
macro_rules! warn {
    ($($text:tt)*) => { $crate::log($crate::Level::Warn, &::std::format!($($text)*)) };
}

/// As [`trace!`](crate::trace).
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::log($crate::Level::Error, &::std::format!($($text)*)) };
}
