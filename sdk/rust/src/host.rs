//! The host as this crate sees it: what is behind a run and where outputs go. In a component these are the contract's resources, in tests
//! what `testing` makes. Everything else in the crate is written against these two, and so runs anywhere.

use crate::Result;

/// All payloads of a run, back to back, and where each ends.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    pub bytes: Vec<u8>,
    pub ends: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct Meta {
    pub sequence: u64,
    pub timestamp_ns: u64,
    pub deadline_ns: u64,
    /// Index in the run's content types.
    pub content_type: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Metas {
    pub metas: Vec<Meta>,
    pub content_types: Vec<String>,
}

/// A run of elements, lent for one call.
pub trait Batch {
    fn count(&self) -> usize;
    fn read(&self) -> Packed;
    fn sizes(&self) -> Vec<u64>;
    fn metas(&self) -> Metas;
    fn flow_id(&self) -> String;
    fn trace_id(&self, index: usize) -> String;
    fn span_id(&self) -> String;
}

/// Why outputs were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes than the largest buffer holds.
    TooLarge,
    NoMemory(String),
}

/// Takes the outputs of one call. As the contract's `batch-writer`.
pub trait Writer {
    fn emit(&self, bytes: &[u8], ends: &[u32], origins: &[u32]) -> Result<(), Refusal>;
    fn forward(&self, indices: &[u32]);
    fn forward_to(&self, port: &str, indices: &[u32]);
    fn set_content_type(&self, content_type: &str);
}
