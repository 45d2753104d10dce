//! The component's side of the contract. Only in WebAssembly; only for the macros, which export an `Export` of their stage.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::thread::LocalKey;

use crate::{Error, Level, Result, RunError, settings};

mod batch;
mod element;
mod panic;
pub mod work;

/// What all components may call.
mod bindings {
    wit_bindgen::generate!({
        path: [
            "wit/torvyn-streaming",
            "wit/torvyn-batching",
            "wit/torvyn-filtering",
            "wit/torvyn-aggregation",
            "wit/torvyn-acks",
            "wit/torvyn-diagnostics",
            "worlds",
        ],
        world: "torvyn:rust-sdk/imports",
        generate_all,
    });
}

// One module an interface, for two of them in one would make the same macros twice. wit-component adds up the worlds of those that a
// component exports, and leaves out the imports that nobody calls.
macro_rules! interfaces {
    ($($module:ident $world:tt { $($with:tt)* })*) => {
        $(
            pub mod $module {
                wit_bindgen::generate!({
                    path: [
                        "wit/torvyn-streaming",
                        "wit/torvyn-batching",
                        "wit/torvyn-filtering",
                        "wit/torvyn-aggregation",
                        "wit/torvyn-acks",
                        "wit/torvyn-diagnostics",
                        "worlds",
                    ],
                    world: $world,
                    with: { $($with)* },
                    generate_all,
                    pub_export_macro: true,
                });
            }
        )*
    };
}

interfaces! {
    lifecycle "torvyn:rust-sdk/lifecycle" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
    acks "torvyn:rust-sdk/acks" {}
    batch_source "torvyn:rust-sdk/batch-source" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
        "torvyn:batching/types@0.1.0": crate::guest::batching,
    }
    batch_processor "torvyn:rust-sdk/batch-processor" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
        "torvyn:batching/types@0.1.0": crate::guest::batching,
    }
    batch_router "torvyn:rust-sdk/batch-router" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
        "torvyn:batching/types@0.1.0": crate::guest::batching,
    }
    batch_aggregator "torvyn:rust-sdk/batch-aggregator" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
        "torvyn:batching/types@0.1.0": crate::guest::batching,
    }
    batch_sink "torvyn:rust-sdk/batch-sink" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
        "torvyn:batching/types@0.1.0": crate::guest::batching,
    }
    element_source "torvyn:rust-sdk/element-source" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
    element_processor "torvyn:rust-sdk/element-processor" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
    element_sink "torvyn:rust-sdk/element-sink" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
    element_filter "torvyn:rust-sdk/element-filter" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
    element_router "torvyn:rust-sdk/element-router" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
    element_aggregator "torvyn:rust-sdk/element-aggregator" {
        "torvyn:streaming/types@0.1.0": crate::guest::streaming,
    }
}

pub use bindings::torvyn::batching::types as batching;
pub use bindings::torvyn::streaming::types as streaming;

/// A component's stage: what it does, and where that is kept between calls.
pub trait Stage {
    type Work: work::Work;
    fn cell() -> &'static Cell<Self::Work>;
}

pub type Contents<W> = RefCell<Option<W>>;
pub type Cell<W> = LocalKey<Contents<W>>;

/// What a macro exports.
pub struct Export<S>(PhantomData<S>);

/// Calls `work` on the stage. One without `lifecycle` is made here, at its first call.
fn enter<S: Stage, T>(work: impl FnOnce(&mut S::Work) -> T) -> Result<T> {
    S::cell().with_borrow_mut(|stage| {
        let stage = match stage {
            Some(stage) => stage,
            None => {
                panic::install_hook();
                stage.insert(settings::init(<S::Work as work::Work>::make, "")?)
            }
        };
        Ok(work(stage))
    })
}

impl<S: Stage> lifecycle::exports::torvyn::streaming::lifecycle::Guest for Export<S> {
    fn init(config: String) -> Result<(), streaming::ProcessError> {
        panic::install_hook();
        let made = settings::init(<S::Work as work::Work>::make, &config)?;
        S::cell().set(Some(made));
        Ok(())
    }

    fn teardown() {
        S::cell().take();
    }
}

impl<S: Stage> acks::exports::torvyn::acks::acks::Guest for Export<S>
where
    S::Work: work::Pull,
{
    fn acknowledge(up_to: u64) {
        // A source that cannot be made has given nothing to acknowledge.
        let _ = enter::<S, _>(|source| work::Pull::acknowledge(source, up_to));
    }
}

fn notify<S: Stage>(signal: streaming::BackpressureSignal)
where
    S::Work: work::Pull,
{
    let pause = signal == streaming::BackpressureSignal::Pause;
    // Advice: a source that cannot be made says why at its first pull.
    let _ = enter::<S, _>(|source| work::Pull::pause(source, pause));
}

impl From<Error> for streaming::ProcessError {
    fn from(error: Error) -> streaming::ProcessError {
        match error {
            Error::InvalidInput(text) => streaming::ProcessError::InvalidInput(text),
            Error::Unavailable(text) => streaming::ProcessError::Unavailable(text),
            Error::Internal(text) => streaming::ProcessError::Internal(text),
            Error::DeadlineExceeded => streaming::ProcessError::DeadlineExceeded,
            Error::Fatal(text) => streaming::ProcessError::Fatal(text),
        }
    }
}

impl From<RunError> for batching::BatchError {
    fn from(error: RunError) -> batching::BatchError {
        batching::BatchError {
            index: error.index as u32,
            error: error.error.into(),
        }
    }
}

impl From<Error> for batching::BatchError {
    /// Before any element was looked at.
    fn from(error: Error) -> batching::BatchError {
        error.at(0).into()
    }
}

fn signal_of(is_busy: bool) -> streaming::BackpressureSignal {
    if is_busy {
        streaming::BackpressureSignal::Pause
    } else {
        streaming::BackpressureSignal::Ready
    }
}

pub(crate) fn log(level: Level, text: &str) {
    use bindings::torvyn::diagnostics::log;
    let level = match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::log(level, text);
}
