//! What a stage does, by role, behind the traits that the exported interfaces ask for. A role that can stand behind two
//! interfaces has a trait of its own; the types are named as the roles, for the macros.

use crate::host::{Batch, Writer};
use crate::roles::{self, Aggregating, Pulled};
use crate::{Ports, Result, Run, RunError, Settings};

pub trait Work: Sized + 'static {
    fn make(settings: &Settings) -> Result<Self>;
}

macro_rules! roles {
    ($($role:ident $kept:ident $make:expr;)*) => {
        $(
            pub struct $role<T>($kept<T>);

            impl<T: crate::$role + 'static> Work for $role<T> {
                fn make(settings: &Settings) -> Result<Self> {
                    T::new(settings).map($make).map($role)
                }
            }
        )*
    };
}

type Plain<T> = T;

roles! {
    Processor Plain std::convert::identity;
    BatchProcessor Plain std::convert::identity;
    Filter Plain std::convert::identity;
    Router Plain std::convert::identity;
    Sink Plain std::convert::identity;
    Source Pulled Pulled::new;
    Aggregator Aggregating Aggregating::new;
}

/// Takes a run and gives outputs that are charged to it.
pub trait Process {
    fn process(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError>;
}

impl<T: crate::Processor> Process for Processor<T> {
    fn process(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError> {
        roles::process(|input, out| self.0.process(input, out), batch, writer)
    }
}

impl<T: crate::BatchProcessor> Process for BatchProcessor<T> {
    fn process(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError> {
        roles::process_run(|run, out| self.0.process(run, out), batch, writer)
    }
}

impl<T: crate::Filter> Process for Filter<T> {
    fn process(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError> {
        roles::filter(|input| self.0.keep(input), batch, writer)
    }
}

pub trait Keep {
    fn keep(&mut self, batch: &dyn Batch) -> Result<bool>;
}

impl<T: crate::Filter> Keep for Filter<T> {
    fn keep(&mut self, batch: &dyn Batch) -> Result<bool> {
        self.0.keep(&Run::new(batch).get(0))
    }
}

pub trait Route {
    fn route(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError>;
    fn route_one(&mut self, batch: &dyn Batch) -> Result<Vec<String>>;
}

impl<T: crate::Router> Route for Router<T> {
    fn route(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError> {
        roles::route(|input, ports| self.0.route(input, ports), batch, writer)
    }

    fn route_one(&mut self, batch: &dyn Batch) -> Result<Vec<String>> {
        let mut ports = Ports::default();
        self.0.route(&Run::new(batch).get(0), &mut ports)?;
        Ok(ports.into_names())
    }
}

pub trait Push {
    /// True where the next elements should wait.
    fn push(&mut self, batch: &dyn Batch) -> Result<bool, RunError>;
    fn complete(&mut self) -> Result<()>;
}

impl<T: crate::Sink> Push for Sink<T> {
    fn push(&mut self, batch: &dyn Batch) -> Result<bool, RunError> {
        roles::push(|input| self.0.push(input), batch)?;
        Ok(self.0.is_busy())
    }

    fn complete(&mut self) -> Result<()> {
        self.0.complete()
    }
}

pub trait Pull {
    fn pull(&mut self, max: usize, writer: &dyn Writer) -> Result<bool>;
    fn pause(&mut self, pause: bool);
    fn acknowledge(&mut self, up_to: u64);
}

impl<T: crate::Source> Pull for Source<T> {
    fn pull(&mut self, max: usize, writer: &dyn Writer) -> Result<bool> {
        self.0.pull(max, writer)
    }

    fn pause(&mut self, pause: bool) {
        self.0.source.pause(pause);
    }

    fn acknowledge(&mut self, up_to: u64) {
        self.0.source.acknowledge(up_to);
    }
}

pub trait Aggregate {
    fn ingest(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError>;
    fn flush(&mut self, writer: &dyn Writer) -> Result<bool>;
}

impl<T: crate::Aggregator> Aggregate for Aggregator<T> {
    fn ingest(&mut self, batch: &dyn Batch, writer: &dyn Writer) -> Result<(), RunError> {
        self.0.ingest(batch, writer)
    }

    fn flush(&mut self, writer: &dyn Writer) -> Result<bool> {
        self.0.flush(writer)
    }
}
