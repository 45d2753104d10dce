//! wasmtime and the WIT tools behind one narrow C header, `torvyn_bridge.h`. That header is the documentation: this crate holds no
//! policy and has no other user.

mod allocations;
mod authoring;
mod callbacks;
mod direct;
mod engine;
mod ffi;
mod files;
mod grants;
mod instance;
mod layout;
mod lift;
mod linker;
mod model;
mod network;
mod requests;
mod state;
mod stop;
mod waiting;
