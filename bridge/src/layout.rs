//! The sizes of what crosses, as a C compiler has them: `bridge_header_test.c` of the engine holds the header to the same figures, so
//! what one side changes alone doesn't build.

use std::mem::{align_of, size_of};

use crate::authoring::RawWitFile;
use crate::callbacks::{BatchMeta, Callbacks, REFUSED};
use crate::engine::EngineOptions;
use crate::ffi::{FailureKind, OwnedString, RawFailure, Status, View};
use crate::grants::{Grants, RawFolder, RawVariable};
use crate::instance::{GuestError, InstanceOptions, RawElementIn, RawElementOut};
use crate::network::RawAddress;

const _: () = {
    assert!(size_of::<View>() == 16);
    assert!(size_of::<OwnedString>() == 16);
    assert!(size_of::<Status>() == 4);
    assert!(size_of::<RawFailure>() == 80);
    assert!(size_of::<BatchMeta>() == 32);
    assert!(size_of::<Callbacks>() == 40 * size_of::<extern "C" fn()>());
    assert!(size_of::<EngineOptions>() == 40);
    assert!(size_of::<InstanceOptions>() == 88);
    assert!(size_of::<RawFolder>() == 40);
    assert!(size_of::<RawVariable>() == 32);
    assert!(size_of::<Grants>() == 64);
    assert!(size_of::<RawAddress>() == 20);
    assert!(size_of::<GuestError>() == 24);
    assert!(size_of::<RawElementIn>() == 40);
    assert!(size_of::<RawElementOut>() == 24);
    assert!(size_of::<RawWitFile>() == 48);
    assert!(align_of::<RawFailure>() == 8 && align_of::<BatchMeta>() == 8);

    assert!(Status::Pause as u32 == 4);
    assert!(FailureKind::Limit as u32 == 6);
    assert!(FailureKind::Unreachable as u32 == 10);
    assert!(FailureKind::Exit as u32 == 21);
    assert!(FailureKind::Folder as u32 == 22);
    assert!(FailureKind::WasiHandles as u32 == 23);
    assert!(FailureKind::Trap as u32 == 29);
    assert!(REFUSED == 0x10000);
};
