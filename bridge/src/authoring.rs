//! For component authors: WIT to a model, guest bindings for C, core module to component.
//!
//! Nothing here runs a guest or needs the engine.

use std::collections::HashMap;
use std::ffi::c_void;

use serde_json::{Value, json};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_bindgen_core::Files;
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};
use wit_parser::{
    Function, ParseErrorKind, Resolve, ResolveErrorKind, SourceMap, Span, Type, TypeDefKind, TypeId, WorldId,
    WorldItem, WorldKey,
};

use crate::ffi::{Failure, FailureKind, OwnedString, RawFailure, Status, View, guard};

/// `tvb_wit_file`.
#[repr(C)]
pub struct RawWitFile {
    package: View,
    path: View,
    text: View,
}

struct WitFile<'a> {
    package: &'a str,
    path: &'a str,
    text: &'a str,
}

type FileCallback = unsafe extern "C" fn(user: *mut c_void, name: View, bytes: View);

/// # Safety
/// `files` points to `count` entries whose views are valid for `'a`; any pointer will do where `count` is 0.
unsafe fn wit_files<'a>(files: *const RawWitFile, count: u64) -> Result<Vec<WitFile<'a>>, Box<Failure>> {
    if count == 0 {
        return Err(Failure::new(FailureKind::Invalid, "no WIT files were given"));
    }
    let count = usize::try_from(count).unwrap_or(0);
    let raw = unsafe { std::slice::from_raw_parts(files, count) };
    raw.iter()
        .map(|file| {
            let package = unsafe { file.package.text() }?;
            let path = unsafe { file.path.text() }?;
            let text = unsafe { file.text.text() }.map_err(|mut failure| {
                failure.file = path.to_string();
                failure
            })?;
            Ok(WitFile { package, path, text })
        })
        .collect()
}

/// A failure at a span of the sources, with line and column where the span is known.
fn at_span(kind: FailureKind, message: String, span: Span, map: &SourceMap, files: &[WitFile]) -> Box<Failure> {
    let mut failure = Failure::new(kind, message);
    let Some(place) = map.resolve_span(span) else {
        return failure;
    };
    failure.file = place.path.to_string();
    if let Some(file) = files.iter().find(|file| file.path == place.path) {
        let before = &file.text.as_bytes()[..place.range.start.min(file.text.len())];
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        failure.line = before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        failure.column = (before.len() - line_start) as u32 + 1;
    }
    failure
}

/// Parses all files, a package at a time, and resolves the packages against each other.
fn resolve(files: &[WitFile]) -> Result<Resolve, Box<Failure>> {
    let mut packages: Vec<&str> = Vec::new();
    for file in files {
        if !packages.contains(&file.package) {
            packages.push(file.package);
        }
    }

    let mut groups = Vec::with_capacity(packages.len());
    for package in packages {
        let mut map = SourceMap::new();
        for file in files.iter().filter(|file| file.package == package) {
            map.push_str(file.path, file.text);
        }
        let group = map.parse().map_err(|(map, error)| {
            let kind = match error.kind() {
                ParseErrorKind::ItemNotFound { .. } => FailureKind::Unresolved,
                _ => FailureKind::Invalid,
            };
            at_span(kind, error.to_string(), error.kind().span(), &map, files)
        })?;
        groups.push(group);
    }

    let mut resolve = Resolve::new();
    let first = groups.remove(0);
    match resolve.push_groups(first, groups) {
        Ok(_) => Ok(resolve),
        Err(error) => {
            let kind = match error.kind() {
                ResolveErrorKind::PackageNotFound { .. }
                | ResolveErrorKind::WorldNotFound { .. }
                | ResolveErrorKind::InterfaceNotFound { .. } => FailureKind::Unresolved,
                _ => FailureKind::Invalid,
            };
            Err(at_span(
                kind,
                error.kind().to_string(),
                error.kind().span(),
                &resolve.source_map,
                files,
            ))
        }
    }
}

fn select_world(resolve: &Resolve, name: &str) -> Result<WorldId, Box<Failure>> {
    let packages: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
    resolve
        .select_world(&packages, Some(name))
        .map_err(|error| Failure::new(FailureKind::Unresolved, format!("no world `{name}`: {error:#}")))
}

/// The types that a type is made of.
fn parts(kind: &mut TypeDefKind) -> Vec<&mut Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter_mut().map(|field| &mut field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.iter_mut().collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter_mut().filter_map(|case| case.ty.as_mut()).collect(),
        TypeDefKind::Result(result) => result.ok.iter_mut().chain(&mut result.err).collect(),
        TypeDefKind::Map(key, value) => vec![key, value],
        TypeDefKind::Option(part)
        | TypeDefKind::List(part)
        | TypeDefKind::FixedLengthList(part, _)
        | TypeDefKind::Type(part) => vec![part],
        TypeDefKind::Future(part) | TypeDefKind::Stream(part) => part.iter_mut().collect(),
        TypeDefKind::Resource
        | TypeDefKind::Handle(_)
        | TypeDefKind::Flags(_)
        | TypeDefKind::Enum(_)
        | TypeDefKind::Unknown => Vec::new(),
    }
}

fn signature(function: &mut Function) -> impl Iterator<Item = &mut Type> {
    let parameters = function.params.iter_mut().map(|parameter| &mut parameter.ty);
    parameters.chain(&mut function.result)
}

/// Gives all types like `list<u8>` one id, where each package has its own.
///
/// The bindings have one C type and one free function for them, but wit-bindgen knows that function by the first package's id: a
/// record that holds the second's would be freed without it.
fn share_unnamed_types(resolve: &mut Resolve) {
    let mut firsts: HashMap<TypeDefKind, TypeId> = HashMap::new();
    let mut shared: HashMap<TypeId, TypeId> = HashMap::new();
    let share = |ty: &mut Type, shared: &HashMap<TypeId, TypeId>| {
        if let Type::Id(id) = ty {
            *id = shared.get(id).copied().unwrap_or(*id);
        }
    };
    // A type comes after those that it is made of.
    for (id, ty) in resolve.types.iter_mut().filter(|(_, ty)| ty.name.is_none()) {
        parts(&mut ty.kind).into_iter().for_each(|part| share(part, &shared));
        // Only what is made of primitives: with a name in it, or as a result, it is a C type of its interface.
        let is_plain = |part: &mut Type| match part {
            Type::Id(id) => shared.contains_key(id),
            _ => true,
        };
        let has_one_c_type = match ty.kind {
            TypeDefKind::List(_) | TypeDefKind::Option(_) | TypeDefKind::Tuple(_) | TypeDefKind::Map(..) => {
                parts(&mut ty.kind).into_iter().all(is_plain)
            }
            _ => false,
        };
        if has_one_c_type {
            let first = *firsts.entry(ty.kind.clone()).or_insert(id);
            shared.insert(id, first);
        }
    }
    let named = resolve.types.iter_mut().filter(|(_, ty)| ty.name.is_some());
    let of_named = named.flat_map(|(_, ty)| parts(&mut ty.kind));
    let interfaces = resolve.interfaces.iter_mut();
    let of_interfaces = interfaces.flat_map(|(_, interface)| interface.functions.values_mut().flat_map(signature));
    let worlds = resolve.worlds.iter_mut();
    let of_worlds = worlds
        .flat_map(|(_, world)| world.imports.values_mut().chain(world.exports.values_mut()))
        .filter_map(|item| match item {
            WorldItem::Function(function) => Some(function),
            WorldItem::Interface { .. } | WorldItem::Type { .. } => None,
        })
        .flat_map(signature);
    for ty in of_named.chain(of_interfaces).chain(of_worlds) {
        share(ty, &shared);
    }
}

const NOT_WASM: &str = "it is not WebAssembly: it does not begin with \"\\0asm\"";

/// Refuses what is no core module, in words that name what it is.
fn check_core_module(wasm: &[u8]) -> Result<(), Box<Failure>> {
    let invalid = |message: &str| Err(Failure::new(FailureKind::Invalid, message));
    match wasm {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => invalid("it is a component already, not a core module"),
        [0, b'a', b's', b'm', ..] => invalid("it is WebAssembly of a version that is not known"),
        _ => invalid(NOT_WASM),
    }
}

fn componentize(core_module: &[u8]) -> Result<Vec<u8>, Box<Failure>> {
    check_core_module(core_module)?;
    let invalid = |what: &'static str| {
        move |error: &dyn std::fmt::Display| Failure::new(FailureKind::Invalid, format!("{what}: {error:#}"))
    };

    let (with_type, bindgen) =
        wit_component::metadata::decode(core_module).map_err(|e| invalid("the module cannot be read")(&e))?;
    if with_type.is_none() {
        return Err(Failure::new(
            FailureKind::Invalid,
            "the module carries no component type: no custom section \"component-type\", which guest bindings put there",
        ));
    }
    drop(bindgen);

    // The adapter is offered to every module; the encoder builds it in only where the module imports from it.
    let encoded = ComponentEncoder::default()
        .validate(true)
        .debug_names(true)
        .module(core_module)
        .and_then(|encoder| {
            encoder
                .adapter(
                    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
                )?
                .encode()
        });
    encoded.map_err(|e| invalid("the module does not fit the component type it carries")(&e))
}

fn describe_items(resolve: &Resolve, key: &WorldKey, item: &WorldItem) -> Value {
    let (kind, items) = match item {
        WorldItem::Interface { id, .. } => {
            let interface = &resolve.interfaces[*id];
            let names: Vec<&str> = interface
                .types
                .keys()
                .map(String::as_str)
                .chain(interface.functions.keys().map(String::as_str))
                .collect();
            ("instance", names)
        }
        WorldItem::Function(_) => ("function", Vec::new()),
        WorldItem::Type { .. } => ("type", Vec::new()),
    };
    json!({ "name": resolve.name_world_key(key), "kind": kind, "items": items })
}

fn describe(wasm: &[u8]) -> Result<String, Box<Failure>> {
    let invalid = |message: String| Failure::new(FailureKind::Invalid, message);
    match wasm {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => {}
        [0, b'a', b's', b'm', ..] => return Err(invalid("it is a core module, not a component".to_string())),
        _ => return Err(invalid(NOT_WASM.to_string())),
    }
    let decoded = wit_component::decode(wasm).map_err(|error| invalid(format!("not a component: {error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(invalid(
            "it is a WIT package in binary form, not a component".to_string(),
        ));
    };
    let list = |items: &wit_parser::IndexMap<WorldKey, WorldItem>| -> Vec<Value> {
        items
            .iter()
            .map(|(key, item)| describe_items(&resolve, key, item))
            .collect()
    };
    let world = &resolve.worlds[world];
    Ok(json!({ "imports": list(&world.imports), "exports": list(&world.exports) }).to_string())
}

/// # Safety
/// `files` points to `count` files with valid views; `json` is writable; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_wit_model(
    files: *const RawWitFile,
    count: u64,
    json: *mut OwnedString,
    failure: *mut RawFailure,
) -> Status {
    let body = || {
        let files = unsafe { wit_files(files, count) }?;
        let model = serde_json::to_string(&resolve(&files)?)
            .map_err(|error| Failure::new(FailureKind::Other, format!("the model cannot be written: {error}")))?;
        unsafe { json.write(model.into()) };
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}

/// # Safety
/// `files` points to `count` files with valid views; `file` may be called with `user`; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_bindings_c(
    files: *const RawWitFile,
    count: u64,
    world: View,
    file: FileCallback,
    user: *mut c_void,
    failure: *mut RawFailure,
) -> Status {
    let body = || {
        let files = unsafe { wit_files(files, count) }?;
        let mut resolve = resolve(&files)?;
        let world = select_world(&resolve, unsafe { world.text() }?)?;
        share_unnamed_types(&mut resolve);
        let options = wit_bindgen_c::Opts {
            rename_world: Some("torvyn".to_string()),
            ..Default::default()
        };
        let mut generated = Files::default();
        options
            .build()
            .generate(&mut resolve, world, &mut generated)
            .map_err(|error| Failure::new(FailureKind::Invalid, format!("no C bindings for this world: {error:#}")))?;
        for (name, bytes) in generated.iter() {
            unsafe { file(user, View::of(name.as_bytes()), View::of(bytes)) };
        }
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}

/// # Safety
/// `core_module` is a valid view; `component` is writable; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_componentize(
    core_module: View,
    component: *mut OwnedString,
    failure: *mut RawFailure,
) -> Status {
    let body = || {
        let bytes = componentize(unsafe { core_module.bytes() })?;
        unsafe { component.write(bytes.into()) };
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}

/// # Safety
/// Views are valid, `files` points to `count` files; `out` is writable; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_embed_world(
    core_module: View,
    files: *const RawWitFile,
    count: u64,
    world: View,
    out: *mut OwnedString,
    failure: *mut RawFailure,
) -> Status {
    let body = || {
        let mut bytes = unsafe { core_module.bytes() }.to_vec();
        check_core_module(&bytes)?;
        let resolve = resolve(&unsafe { wit_files(files, count) }?)?;
        let world = select_world(&resolve, unsafe { world.text() }?)?;
        wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8, false)
            .map_err(|error| Failure::new(FailureKind::Invalid, format!("the world cannot be embedded: {error:#}")))?;
        unsafe { out.write(bytes.into()) };
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}

/// # Safety
/// `wasm` is a valid view; `json` is writable; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_wasm_describe(wasm: View, json: *mut OwnedString, failure: *mut RawFailure) -> Status {
    let body = || {
        let text = describe(unsafe { wasm.bytes() })?;
        unsafe { json.write(text.into()) };
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}
