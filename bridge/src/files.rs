//! The calls of WASI that name a path: done as wasmtime-wasi does them, and told to the host with how they ended.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    DescriptorFlags, DescriptorStat, ErrorCode, Host as _, HostDescriptor as _, NewTimestamp, OpenFlags, PathFlags,
};

use crate::grants::tell;
use crate::state::State;

type Store<'a> = StoreContextMut<'a, State>;
type Folder = Resource<Descriptor>;
type Answer<T> = Result<(std::result::Result<T, ErrorCode>,)>;

const READ: &str = "filesystem-read";
const WRITE: &str = "filesystem-write";

/// What an error of the sandbox looks like to a guest. The machine's own permissions end in the same: the host can't be told which it was, and
/// a look at either is worth a line.
fn is_refusal(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly)
}

fn told<T>(mut store: Store<'_>, capability: &str, function: &str, path: &str, result: FsResult<T>) -> Answer<T> {
    match result {
        Ok(value) => {
            tell(&store, capability, function, path, true)?;
            Ok((Ok(value),))
        }
        Err(error) => {
            let code = store.data_mut().filesystem().convert_error_code(error)?;
            if is_refusal(code) {
                tell(&store, capability, function, path, false)?;
            }
            Ok((Err(code),))
        }
    }
}

/// The versions are wasmtime-wasi's: with others these would stand beside its functions, not in their place.
/// Requires: WASI is in the linker.
pub fn replace(linker: &mut Linker<State>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;

    types.func_wrap(
        "[method]descriptor.open-at",
        |mut store: Store<'_>,
         (at, follow, path, how, flags): (Folder, PathFlags, String, OpenFlags, DescriptorFlags)|
         -> Answer<Folder> {
            let writes = flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY)
                || how.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
            let name = path.clone();
            let result = store.data_mut().filesystem().open_at(at, follow, path, how, flags);
            told(
                store,
                if writes { WRITE } else { READ },
                "descriptor.open-at",
                &name,
                result,
            )
        },
    )?;
    types.func_wrap(
        "[method]descriptor.stat-at",
        |mut store: Store<'_>, (at, follow, path): (Folder, PathFlags, String)| -> Answer<DescriptorStat> {
            let name = path.clone();
            let result = store.data_mut().filesystem().stat_at(at, follow, path);
            told(store, READ, "descriptor.stat-at", &name, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.readlink-at",
        |mut store: Store<'_>, (at, path): (Folder, String)| -> Answer<String> {
            let name = path.clone();
            let result = store.data_mut().filesystem().readlink_at(at, path);
            told(store, READ, "descriptor.readlink-at", &name, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.set-times-at",
        |mut store: Store<'_>,
         (at, follow, path, accessed, modified): (Folder, PathFlags, String, NewTimestamp, NewTimestamp)|
         -> Answer<()> {
            let name = path.clone();
            let files = &mut store.data_mut().filesystem();
            let result = files.set_times_at(at, follow, path, accessed, modified);
            told(store, WRITE, "descriptor.set-times-at", &name, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.create-directory-at",
        |mut store: Store<'_>, (at, path): (Folder, String)| -> Answer<()> {
            let name = path.clone();
            let result = store.data_mut().filesystem().create_directory_at(at, path);
            told(store, WRITE, "descriptor.create-directory-at", &name, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.remove-directory-at",
        |mut store: Store<'_>, (at, path): (Folder, String)| -> Answer<()> {
            let name = path.clone();
            let result = store.data_mut().filesystem().remove_directory_at(at, path);
            told(store, WRITE, "descriptor.remove-directory-at", &name, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.unlink-file-at",
        |mut store: Store<'_>, (at, path): (Folder, String)| -> Answer<()> {
            let name = path.clone();
            let result = store.data_mut().filesystem().unlink_file_at(at, path);
            told(store, WRITE, "descriptor.unlink-file-at", &name, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.rename-at",
        |mut store: Store<'_>, (at, from, to_at, to): (Folder, String, Folder, String)| -> Answer<()> {
            let names = format!("{from} -> {to}");
            let result = store.data_mut().filesystem().rename_at(at, from, to_at, to);
            told(store, WRITE, "descriptor.rename-at", &names, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.link-at",
        |mut store: Store<'_>,
         (at, follow, from, to_at, to): (Folder, PathFlags, String, Folder, String)|
         -> Answer<()> {
            let names = format!("{from} -> {to}");
            let result = store.data_mut().filesystem().link_at(at, follow, from, to_at, to);
            told(store, WRITE, "descriptor.link-at", &names, result)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.symlink-at",
        |mut store: Store<'_>, (at, to, name): (Folder, String, String)| -> Answer<()> {
            let names = format!("{name} -> {to}");
            let result = store.data_mut().filesystem().symlink_at(at, to, name);
            told(store, WRITE, "descriptor.symlink-at", &names, result)
        },
    )?;

    linker.allow_shadowing(false);
    Ok(())
}
