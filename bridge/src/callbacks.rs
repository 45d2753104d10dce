//! `tvb_host`: what a component may call back, as the table of C functions it is.

use std::ffi::c_void;

use crate::ffi::View;
use crate::network::RawAddress;

pub type Host = *mut c_void;

/// Answers of callbacks; see the header.
pub const OK: u32 = 0;
pub const CAPACITY_EXCEEDED: u32 = 1;
pub const OUT_OF_BOUNDS: u32 = 2;
pub const ALLOCATION_FAILED: u32 = 3;
pub const REFUSED: u32 = 0x10000;

/// `tvb_batch_meta`, which is also the record of the contract.
#[repr(C)]
#[derive(Clone, Copy, wasmtime::component::ComponentType, wasmtime::component::Lower)]
#[component(record)]
pub struct BatchMeta {
    pub sequence: u64,
    #[component(name = "timestamp-ns")]
    pub timestamp_ns: u64,
    #[component(name = "deadline-ns")]
    pub deadline_ns: u64,
    #[component(name = "content-type")]
    pub content_type: u32,
}

/// `tvb_host`, field by field.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Callbacks {
    pub buffer_size: extern "C" fn(Host, u32, *mut u64) -> u32,
    pub buffer_content_type: extern "C" fn(Host, u32, *mut View) -> u32,
    pub buffer_read: extern "C" fn(Host, u32, u64, u64, *mut View) -> u32,
    pub buffer_drop: extern "C" fn(Host, u32) -> u32,

    pub mutable_allocate: extern "C" fn(Host, u64, *mut u32) -> u32,
    pub mutable_clone: extern "C" fn(Host, u32, *mut u32) -> u32,
    pub mutable_write: extern "C" fn(Host, u32, u64, View) -> u32,
    pub mutable_append: extern "C" fn(Host, u32, View) -> u32,
    pub mutable_size: extern "C" fn(Host, u32, *mut u64) -> u32,
    pub mutable_capacity: extern "C" fn(Host, u32, *mut u64) -> u32,
    pub mutable_set_content_type: extern "C" fn(Host, u32, View) -> u32,
    pub mutable_freeze: extern "C" fn(Host, u32, *mut u32) -> u32,
    pub mutable_drop: extern "C" fn(Host, u32) -> u32,

    pub context_trace_id: extern "C" fn(Host, u32, *mut u8) -> u32,
    pub context_span_id: extern "C" fn(Host, u32, *mut u8) -> u32,
    pub context_deadline_ns: extern "C" fn(Host, u32, *mut u64) -> u32,
    pub context_flow_id: extern "C" fn(Host, u32, *mut View) -> u32,

    pub batch_count: extern "C" fn(Host, u32, *mut u32) -> u32,
    pub batch_read: extern "C" fn(Host, u32, *mut View, *mut *const u32, *mut u64) -> u32,
    pub batch_read_one: extern "C" fn(Host, u32, u32, u64, u64, *mut View) -> u32,
    pub batch_sizes: extern "C" fn(Host, u32, *mut *const u64, *mut u64) -> u32,
    pub batch_metas: extern "C" fn(Host, u32, *mut *const BatchMeta, *mut u64) -> u32,
    pub batch_content_types: extern "C" fn(Host, u32, *mut *const View, *mut u64) -> u32,
    pub batch_flow_id: extern "C" fn(Host, u32, *mut View) -> u32,
    pub batch_trace_id: extern "C" fn(Host, u32, u32, *mut u8) -> u32,
    pub batch_span_id: extern "C" fn(Host, u32, *mut u8) -> u32,

    pub writer_emit: extern "C" fn(Host, u32, View, *const u32, u64, *const u32, u64) -> u32,
    pub writer_forward: extern "C" fn(Host, u32, View, *const u32, u64) -> u32,
    pub writer_set_content_type: extern "C" fn(Host, u32, View) -> u32,

    pub log: extern "C" fn(Host, u32, View),
    pub output: extern "C" fn(Host, u32, View),
    pub denied: extern "C" fn(Host, View, View) -> u32,
    pub accessed: extern "C" fn(Host, View, View, View, bool) -> u32,
    pub may_look_up: extern "C" fn(Host, View) -> bool,
    pub looked_up: extern "C" fn(Host, View, *const RawAddress),
    pub check_address: extern "C" fn(Host, u32, *const RawAddress) -> bool,
    pub may_request: extern "C" fn(Host, View, u16) -> bool,
    pub may_reach: extern "C" fn(Host, View, *const RawAddress) -> bool,
    pub has_capability: extern "C" fn(Host, View) -> bool,
    pub refusal: extern "C" fn(Host, *mut View),
}
