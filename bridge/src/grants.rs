//! What an instance was granted beyond computing, and the calls of WASI that have no error to refuse with.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, monotonic_clock::Host as _, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure::Host as _, insecure_seed::Host as _, random::Host as _};
use wasmtime_wasi::random::WasiRandomView as _;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::callbacks::OK;
use crate::ffi::{Failure, FailureKind, View};
use crate::state::State;

type Store<'a> = StoreContextMut<'a, State>;

/// `tvb_folder`.
#[repr(C)]
pub struct RawFolder {
    guest_path: View,
    host_path: View,
    writable: bool,
}

/// `tvb_variable`.
#[repr(C)]
pub struct RawVariable {
    name: View,
    value: View,
}

/// `tvb_grants`.
#[repr(C)]
pub struct Grants {
    folders: *const RawFolder,
    folder_count: u64,
    variables: *const RawVariable,
    variable_count: u64,
    arguments: *const View,
    argument_count: u64,
    pub handles_max: u32,
    pub clocks: bool,
    pub random: bool,
    pub tcp: bool,
    pub udp: bool,
    pub stdin: bool,
}

/// # Safety
/// `data` must point to `count` values that stay for `'a`; any pointer will do where `count` is 0.
unsafe fn values<'a, T>(data: *const T, count: u64) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(data, usize::try_from(count).unwrap_or(0)) }
}

impl Grants {
    /// Opens what was granted.
    ///
    /// # Safety
    /// The pointers are as the header says.
    pub unsafe fn open(&self, wasi: &mut WasiCtxBuilder) -> std::result::Result<(), Box<Failure>> {
        for folder in unsafe { values(self.folders, self.folder_count) } {
            let (host_path, guest_path) = unsafe { (folder.host_path.text()?, folder.guest_path.text()?) };
            let perms = if folder.writable {
                FsPerms::ReadWrite
            } else {
                FsPerms::ReadOnly
            };
            wasi.preopened_dir(host_path, guest_path, perms).map_err(|error| {
                Failure::new(
                    FailureKind::Folder,
                    format!("the granted folder `{host_path}` cannot be opened: {error:#}"),
                )
            })?;
        }
        for variable in unsafe { values(self.variables, self.variable_count) } {
            wasi.env(unsafe { variable.name.text()? }, unsafe { variable.value.text()? });
        }
        for argument in unsafe { values(self.arguments, self.argument_count) } {
            wasi.arg(unsafe { argument.text()? });
        }
        if self.stdin {
            wasi.inherit_stdin();
        }
        // Which names and addresses is the host's to say, each time: `network`.
        wasi.allow_tcp(self.tcp).allow_udp(self.udp).allow_ip_name_lookup(true);
        Ok(())
    }
}

/// Tells the host of a call that it may want to know of. An error ends the guest's call: the host wants it so.
pub fn tell(store: &Store<'_>, capability: &str, function: &str, target: &str, allowed: bool) -> Result<()> {
    let state = store.data();
    let host = state.host;
    let answer = (host.callbacks.accessed)(
        host.host,
        View::of(capability.as_bytes()),
        View::of(function.as_bytes()),
        View::of(target.as_bytes()),
        allowed,
    );
    if answer == OK {
        Ok(())
    } else {
        Err(state.refusal(answer))
    }
}

/// Ends the call with the host's words where the capability was not granted.
fn need(store: &Store<'_>, granted: bool, capability: &str, function: &str) -> Result<()> {
    if granted {
        return Ok(());
    }
    let state = store.data();
    let host = state.host;
    let answer = (host.callbacks.denied)(
        host.host,
        View::of(capability.as_bytes()),
        View::of(function.as_bytes()),
    );
    Err(state.refusal(answer))
}

fn clocks(store: &Store<'_>, function: &str) -> Result<()> {
    need(store, store.data().clocks, "clocks", function)
}

fn random(store: &Store<'_>, function: &str) -> Result<()> {
    need(store, store.data().random, "random", function)
}

/// The versions are wasmtime-wasi's: with others these would stand beside its functions, not in their place.
/// Requires: WASI is in the linker.
pub fn replace(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);

    let mut wall = linker.instance("wasi:clocks/wall-clock@0.2.12")?;
    wall.func_wrap("now", |mut store: Store<'_>, ()| -> Result<(wall_clock::Datetime,)> {
        clocks(&store, "wall-clock.now")?;
        Ok((wall_clock::Host::now(&mut store.data_mut().clocks())?,))
    })?;
    wall.func_wrap(
        "resolution",
        |mut store: Store<'_>, ()| -> Result<(wall_clock::Datetime,)> {
            clocks(&store, "wall-clock.resolution")?;
            Ok((wall_clock::Host::resolution(&mut store.data_mut().clocks())?,))
        },
    )?;

    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    monotonic.func_wrap("now", |mut store: Store<'_>, ()| {
        clocks(&store, "monotonic-clock.now")?;
        Ok((monotonic_clock::Host::now(&mut store.data_mut().clocks())?,))
    })?;
    monotonic.func_wrap("resolution", |mut store: Store<'_>, ()| {
        clocks(&store, "monotonic-clock.resolution")?;
        Ok((monotonic_clock::Host::resolution(&mut store.data_mut().clocks())?,))
    })?;
    monotonic.func_wrap(
        "subscribe-instant",
        |mut store: Store<'_>, (when,): (u64,)| -> Result<(Resource<DynPollable>,)> {
            clocks(&store, "monotonic-clock.subscribe-instant")?;
            Ok((store.data_mut().clocks().subscribe_instant(when)?,))
        },
    )?;
    monotonic.func_wrap(
        "subscribe-duration",
        |mut store: Store<'_>, (duration,): (u64,)| -> Result<(Resource<DynPollable>,)> {
            clocks(&store, "monotonic-clock.subscribe-duration")?;
            Ok((store.data_mut().clocks().subscribe_duration(duration)?,))
        },
    )?;

    let mut secure = linker.instance("wasi:random/random@0.2.12")?;
    secure.func_wrap("get-random-bytes", |mut store: Store<'_>, (length,): (u64,)| {
        random(&store, "random.get-random-bytes")?;
        Ok((store.data_mut().random().get_random_bytes(length)?,))
    })?;
    secure.func_wrap("get-random-u64", |mut store: Store<'_>, ()| {
        random(&store, "random.get-random-u64")?;
        Ok((store.data_mut().random().get_random_u64()?,))
    })?;
    let mut insecure = linker.instance("wasi:random/insecure@0.2.12")?;
    insecure.func_wrap(
        "get-insecure-random-bytes",
        |mut store: Store<'_>, (length,): (u64,)| {
            random(&store, "insecure.get-insecure-random-bytes")?;
            Ok((store.data_mut().random().get_insecure_random_bytes(length)?,))
        },
    )?;
    insecure.func_wrap("get-insecure-random-u64", |mut store: Store<'_>, ()| {
        random(&store, "insecure.get-insecure-random-u64")?;
        Ok((store.data_mut().random().get_insecure_random_u64()?,))
    })?;
    linker
        .instance("wasi:random/insecure-seed@0.2.12")?
        .func_wrap("insecure-seed", |mut store: Store<'_>, ()| {
            random(&store, "insecure-seed.insecure-seed")?;
            Ok((store.data_mut().random().insecure_seed()?,))
        })?;

    linker.allow_shadowing(false);
    Ok(())
}
