//! What the components do, apart from the contract they do it in: shared by the per-element and the batch form of each.

pub mod access_log;
pub mod batch;
pub mod grep;
pub mod hello;
pub mod settings;
pub mod words;
