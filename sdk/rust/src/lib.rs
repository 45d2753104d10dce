//! Write a [Torvyn](https://github.com/torvyn) stage in Rust: a function of one element becomes a WebAssembly component
//! that takes runs of them.
//!
//! ```
//! use torvyn::prelude::*;
//!
//! fn shout(input: &Element, out: &mut Output) -> Result<()> {
//!     out.emit(input.bytes().to_ascii_uppercase());
//!     Ok(())
//! }
//!
//! torvyn::processor!(shout);
//! ```
//!
//! The other kinds of stage are [`filter!`], [`router!`], [`source!`], [`sink!`] and [`aggregator!`]. What has settings or
//! a state is a type: `torvyn::processor!(type Grep)`, with the trait [`Processor`] and so on. [`batch_processor!`] is for
//! whoever wants a whole run in one call.
//!
//! A panic is told to the host with its message and place before the component ends. Everything here runs natively too:
//! [`testing`] calls a stage as the host would, under plain `cargo test`.

mod error;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
mod host;
mod log;
mod macros;
mod output;
mod ports;
mod roles;
mod run;
mod settings;
pub mod testing;

pub use error::{Error, OrError, Result, RunError};
pub use log::{Level, log};
pub use output::{Output, Payload, RunOutput};
pub use ports::Ports;
pub use roles::{Aggregator, BatchProcessor, Filter, Next, Processor, Router, Sink, Source};
pub use run::{Element, Run};
pub use settings::{Setting, Settings};

/// Everything a stage is written with.
pub mod prelude {
    pub use crate::{
        Aggregator, BatchProcessor, Element, Error, Filter, Level, Next, OrError, Output, Payload,
        Ports, Processor, Result, Router, Run, RunError, RunOutput, Settings, Sink, Source,
    };
    pub use crate::{debug, error, info, trace, warn};
}
