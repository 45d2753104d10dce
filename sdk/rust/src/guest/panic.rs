//! Last words. Without them a panic would reach the host as `unreachable` and nothing else.

use std::panic::PanicHookInfo;

use crate::Level;

pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(tell));
}

/// The host takes the form `panicked at PLACE: MESSAGE`, logged just before a trap, for the reason of the trap.
fn tell(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a text");
    let text = match info.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    };
    super::log(Level::Error, &text);
}
