//! The macros that make a component of a function or a type.
//!
//! On the machine itself they check no more than that the thing fits, so that tests link; in WebAssembly they add a
//! `Stage`, which says where its state lives, and export the interfaces over it.

/// Exports a processor: a function `fn(&Element, &mut Output) -> Result<()>`, or `type T` with [`Processor`](crate::Processor).
///
/// ```
/// # use torvyn::prelude::*;
/// fn shout(input: &Element, out: &mut Output) -> Result<()> {
///     out.emit(input.bytes().to_ascii_uppercase());
///     Ok(())
/// }
///
/// torvyn::processor!(shout);
/// ```
///
/// `per_element` behind it, `processor!(shout, per_element)`, exports the contract of one element a call, at most one
/// output each. [`filter!`](crate::filter), [`router!`](crate::router), [`source!`](crate::source),
/// [`sink!`](crate::sink) and [`aggregator!`](crate::aggregator) take it too.
#[macro_export]
macro_rules! processor {
    (type $type:ty) => { $crate::__stage!(Processor, $type, [batch_processor lifecycle]); };
    (type $type:ty, per_element) => { $crate::__stage!(Processor, $type, [element_processor lifecycle]); };
    ($function:expr $(, $per_element:ident)?) => {
        const _: () = {
            struct Function;
            impl $crate::Processor for Function {
                fn new(_: &$crate::Settings) -> $crate::Result<Self> {
                    Ok(Function)
                }
                fn process(&mut self, input: &$crate::Element, out: &mut $crate::Output) -> $crate::Result<()> {
                    $function(input, out)
                }
            }
            $crate::__processor_function!(Function $($per_element)?);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __processor_function {
    ($type:ident) => {
        $crate::__stage!(Processor, $type, [batch_processor]);
    };
    ($type:ident per_element) => {
        $crate::__stage!(Processor, $type, [element_processor]);
    };
}

/// Exports a processor of runs: a function `fn(&mut Run, &mut RunOutput) -> Result<(), RunError>`, or `type T` with
/// [`BatchProcessor`](crate::BatchProcessor).
///
/// ```
/// # use torvyn::prelude::*;
/// fn shout(run: &mut Run, out: &mut RunOutput) -> Result<(), RunError> {
///     run.bytes_mut().make_ascii_uppercase();
///     out.emit_run(run);
///     Ok(())
/// }
///
/// torvyn::batch_processor!(shout);
/// ```
#[macro_export]
macro_rules! batch_processor {
    (type $type:ty) => { $crate::__stage!(BatchProcessor, $type, [batch_processor lifecycle]); };
    ($function:expr) => {
        const _: () = {
            struct Function;
            impl $crate::BatchProcessor for Function {
                fn new(_: &$crate::Settings) -> $crate::Result<Self> {
                    Ok(Function)
                }
                fn process(
                    &mut self,
                    run: &mut $crate::Run,
                    out: &mut $crate::RunOutput,
                ) -> $crate::Result<(), $crate::RunError> {
                    $function(run, out)
                }
            }
            $crate::__stage!(BatchProcessor, Function, [batch_processor]);
        };
    };
}

/// Exports a filter: a function `fn(&Element) -> Result<bool>`, or `type T` with [`Filter`](crate::Filter).
///
/// ```
/// # use torvyn::prelude::*;
/// fn has_error(input: &Element) -> Result<bool> {
///     Ok(input.text()?.contains("ERROR"))
/// }
///
/// torvyn::filter!(has_error);
/// ```
#[macro_export]
macro_rules! filter {
    (type $type:ty) => { $crate::__stage!(Filter, $type, [batch_processor lifecycle]); };
    (type $type:ty, per_element) => { $crate::__stage!(Filter, $type, [element_filter lifecycle]); };
    ($function:expr $(, $per_element:ident)?) => {
        const _: () = {
            struct Function;
            impl $crate::Filter for Function {
                fn new(_: &$crate::Settings) -> $crate::Result<Self> {
                    Ok(Function)
                }
                fn keep(&mut self, input: &$crate::Element) -> $crate::Result<bool> {
                    $function(input)
                }
            }
            $crate::__filter_function!(Function $($per_element)?);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __filter_function {
    ($type:ident) => { $crate::__stage!(Filter, $type, [batch_processor]); };
    ($type:ident per_element) => { $crate::__stage!(Filter, $type, [element_filter lifecycle]); };
}

/// Exports a router: a function `fn(&Element, &mut Ports) -> Result<()>`, or `type T` with [`Router`](crate::Router).
///
/// ```
/// # use torvyn::prelude::*;
/// fn by_size(input: &Element, ports: &mut Ports) -> Result<()> {
///     ports.send(if input.size() < 1024 { "small" } else { "large" });
///     Ok(())
/// }
///
/// torvyn::router!(by_size);
/// ```
#[macro_export]
macro_rules! router {
    (type $type:ty) => { $crate::__stage!(Router, $type, [batch_router lifecycle]); };
    (type $type:ty, per_element) => { $crate::__stage!(Router, $type, [element_router lifecycle]); };
    ($function:expr $(, $per_element:ident)?) => {
        const _: () = {
            struct Function;
            impl $crate::Router for Function {
                fn new(_: &$crate::Settings) -> $crate::Result<Self> {
                    Ok(Function)
                }
                fn route(&mut self, input: &$crate::Element, ports: &mut $crate::Ports) -> $crate::Result<()> {
                    $function(input, ports)
                }
            }
            $crate::router!(type Function $(, $per_element)?);
        };
    };
}

/// Exports a sink: a function `fn(&Element) -> Result<()>`, or `type T` with [`Sink`](crate::Sink).
///
/// ```
/// # use torvyn::prelude::*;
/// fn show(input: &Element) -> Result<()> {
///     info!("{}", input.text()?);
///     Ok(())
/// }
///
/// torvyn::sink!(show);
/// ```
#[macro_export]
macro_rules! sink {
    (type $type:ty) => { $crate::__stage!(Sink, $type, [batch_sink lifecycle]); };
    (type $type:ty, per_element) => { $crate::__stage!(Sink, $type, [element_sink lifecycle]); };
    ($function:expr $(, $per_element:ident)?) => {
        const _: () = {
            struct Function;
            impl $crate::Sink for Function {
                fn new(_: &$crate::Settings) -> $crate::Result<Self> {
                    Ok(Function)
                }
                fn push(&mut self, input: &$crate::Element) -> $crate::Result<()> {
                    $function(input)
                }
            }
            $crate::sink!(type Function $(, $per_element)?);
        };
    };
}

/// Exports a source: `type T` with [`Source`](crate::Source). `acks` behind it has
/// [`acknowledge`](crate::Source::acknowledge) called.
///
/// ```
/// # use torvyn::prelude::*;
/// struct Countdown {
///     left: u64,
/// }
///
/// impl Source for Countdown {
///     fn new(settings: &Settings) -> Result<Self> {
///         Ok(Countdown { left: settings.get_or("from", 10)? })
///     }
///
///     fn pull(&mut self, out: &mut Output) -> Result<Next> {
///         if self.left == 0 {
///             return Ok(Next::End);
///         }
///         out.emit(format!("{}\n", self.left));
///         self.left -= 1;
///         Ok(Next::More)
///     }
/// }
///
/// torvyn::source!(type Countdown);
/// ```
#[macro_export]
macro_rules! source {
    (type $type:ty) => { $crate::__stage!(Source, $type, [batch_source lifecycle]); };
    (type $type:ty, acks) => { $crate::__stage!(Source, $type, [batch_source lifecycle acks]); };
    (type $type:ty, per_element) => { $crate::__stage!(Source, $type, [element_source lifecycle]); };
    ($($other:tt)*) => { ::std::compile_error!("a source has a state: torvyn::source!(type Name)"); };
}

/// Exports an aggregator: `type T` with [`Aggregator`](crate::Aggregator).
///
/// ```
/// # use torvyn::prelude::*;
/// struct Count(u64);
///
/// impl Aggregator for Count {
///     fn new(_: &Settings) -> Result<Self> {
///         Ok(Count(0))
///     }
///
///     fn ingest(&mut self, _: &Element, _: &mut Output) -> Result<()> {
///         self.0 += 1;
///         Ok(())
///     }
///
///     fn flush(&mut self, out: &mut Output) -> Result<()> {
///         out.emit(format!("{}\n", self.0));
///         Ok(())
///     }
/// }
///
/// torvyn::aggregator!(type Count);
/// ```
#[macro_export]
macro_rules! aggregator {
    (type $type:ty) => { $crate::__stage!(Aggregator, $type, [batch_aggregator lifecycle]); };
    (type $type:ty, per_element) => { $crate::__stage!(Aggregator, $type, [element_aggregator lifecycle]); };
    ($($other:tt)*) => { ::std::compile_error!("an aggregator has a state: torvyn::aggregator!(type Name)"); };
}

/// Exports `$type`, of role `$role`, by the interfaces in brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! __stage {
    ($role:ident, $type:ty, [$($interface:ident)*]) => {
        const _: () = {
            const fn fits<T: $crate::$role>() {}
            fits::<$type>();

            #[cfg(target_arch = "wasm32")]
            struct TorvynStage;

            #[cfg(target_arch = "wasm32")]
            impl $crate::guest::Stage for TorvynStage {
                type Work = $crate::guest::work::$role<$type>;

                fn cell() -> &'static $crate::guest::Cell<Self::Work> {
                    ::std::thread_local! {
                        static CELL: $crate::guest::Contents<$crate::guest::work::$role<$type>> =
                            const { $crate::guest::Contents::new(None) };
                    }
                    &CELL
                }
            }

            #[cfg(target_arch = "wasm32")]
            type TorvynExport = $crate::guest::Export<TorvynStage>;

            $(
                #[cfg(target_arch = "wasm32")]
                $crate::guest::$interface::export!(
                    TorvynExport with_types_in $crate::guest::$interface
                );
            )*
        };
    };
}
