//! For component authors: WIT or a component to a model, what is wrong with WIT, guest bindings for C, core module to component.
//!
//! Nothing here runs a guest or needs the engine.

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::MaybeUninit;

use serde_json::{Value, json};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_bindgen_core::Files;
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};
use wit_parser::{
    Function, ParseError, ParseErrorKind, Resolve, ResolveError, ResolveErrorKind, SourceMap, Span, Type, TypeDefKind,
    TypeId, UnresolvedPackageGroup, WorldId, WorldItem, WorldKey,
};

use crate::ffi::{Failure, FailureKind, OwnedString, RawFailure, Status, View, free_failure, guard, store_failure};
use crate::model;

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

type ProblemCallback = unsafe extern "C" fn(user: *mut c_void, problem: *const RawFailure);
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

/// The file a span is in, and where it begins there: line and column.
fn place(span: Span, map: &SourceMap, files: &[WitFile]) -> Option<(String, u32, u32)> {
    let place = map.resolve_span(span)?;
    let Some(file) = files.iter().find(|file| file.path == place.path) else {
        return Some((place.path.to_string(), 0, 0));
    };
    let before = &file.text.as_bytes()[..place.range.start.min(file.text.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
    Some((place.path.to_string(), line, (before.len() - line_start) as u32 + 1))
}

/// A failure at a span of the sources, with line and column where the span is known.
fn at_span(kind: FailureKind, message: String, span: Span, map: &SourceMap, files: &[WitFile]) -> Box<Failure> {
    let mut failure = Failure::new(kind, message);
    if let Some((file, line, column)) = place(span, map, files) {
        (failure.file, failure.line, failure.column) = (file, line, column);
    }
    failure
}

fn of_parse_error(error: &ParseError, map: &SourceMap, files: &[WitFile]) -> Box<Failure> {
    let kind = match error.kind() {
        ParseErrorKind::ItemNotFound { .. } => FailureKind::Unresolved,
        _ => FailureKind::Invalid,
    };
    at_span(kind, error.to_string(), error.kind().span(), map, files)
}

fn of_resolve_error(error: &ResolveError, map: &SourceMap, files: &[WitFile]) -> Box<Failure> {
    let kind = match error.kind() {
        ResolveErrorKind::PackageNotFound { .. }
        | ResolveErrorKind::WorldNotFound { .. }
        | ResolveErrorKind::InterfaceNotFound { .. } => FailureKind::Unresolved,
        _ => FailureKind::Invalid,
    };
    at_span(kind, error.kind().to_string(), error.kind().span(), map, files)
}

/// The labels of the packages that files belong to, each once.
fn packages_of<'a>(files: &[WitFile<'a>]) -> Vec<&'a str> {
    let mut packages: Vec<&str> = Vec::new();
    for file in files {
        if !packages.contains(&file.package) {
            packages.push(file.package);
        }
    }
    packages
}

fn parse_package<'a>(
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<UnresolvedPackageGroup, (SourceMap, ParseError)> {
    let mut map = SourceMap::new();
    for (path, text) in files {
        map.push_str(path, text);
    }
    map.parse()
}

fn parse_group(files: &[WitFile], package: &str) -> Result<UnresolvedPackageGroup, (SourceMap, ParseError)> {
    let own = files.iter().filter(|file| file.package == package);
    parse_package(own.map(|file| (file.path, file.text)))
}

/// Parses all files, a package at a time, and resolves the packages against each other.
fn resolve(files: &[WitFile]) -> Result<Resolve, Box<Failure>> {
    let mut groups = Vec::new();
    for package in packages_of(files) {
        let group = parse_group(files, package).map_err(|(map, error)| of_parse_error(&error, &map, files))?;
        groups.push(group);
    }
    let mut resolve = Resolve::new();
    let first = groups.remove(0);
    match resolve.push_groups(first, groups) {
        Ok(_) => Ok(resolve),
        Err(error) => Err(of_resolve_error(&error, &resolve.source_map, files)),
    }
}

/// How many unknown names of one package are told. Whoever has more has one cause for them.
const UNKNOWN_NAMES_MAX: usize = 32;

/// All that is wrong with the texts of one package, as far as it can be told. The parser stops at its first error: an unknown type
/// is made a known one of the same length, so that it goes on, and behind any other error the package's other files are looked at alone.
fn package_problems(files: &[WitFile], package: &str) -> Vec<Box<Failure>> {
    let own: Vec<&WitFile> = files.iter().filter(|file| file.package == package).collect();
    let mut texts: Vec<String> = own.iter().map(|file| file.text.to_string()).collect();
    let mut problems = Vec::new();
    let mut mended: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    while problems.len() < UNKNOWN_NAMES_MAX {
        let paths = own.iter().map(|file| file.path);
        let Err((map, error)) = parse_package(paths.zip(texts.iter().map(String::as_str))) else {
            break;
        };
        let location = map.resolve_span(error.kind().span());
        let index = location
            .as_ref()
            .and_then(|at| own.iter().position(|file| file.path == at.path));
        let at = location.zip(index).map(|(at, index)| (index, at.range));
        // What was put there fits its place no better: its error was told already.
        let told = |at: &(usize, std::ops::Range<usize>)| {
            mended
                .iter()
                .any(|(index, range)| *index == at.0 && range.start <= at.1.end && at.1.start <= range.end)
        };
        if at.as_ref().is_some_and(told) {
            break;
        }
        let mut problem = of_parse_error(&error, &map, files);
        if problem.file.is_empty() {
            problem.file = own[0].path.to_string();
        }
        problems.push(problem);
        match (error.kind(), at) {
            (ParseErrorKind::ItemNotFound { kind, .. }, Some((index, range)))
                if kind != "interface or world" && range.len() >= 2 =>
            {
                texts[index].replace_range(range.clone(), &format!("{:<width$}", "u8", width = range.len()));
                mended.push((index, range));
            }
            (_, at) => {
                let others = own
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| Some(*index) != at.as_ref().map(|at| at.0));
                problems.extend(others.filter_map(|(_, file)| syntax_problem(file, files)));
                break;
            }
        }
    }
    problems
}

/// What is wrong with a file without those it belongs together with: not what it doesn't find in itself.
fn syntax_problem(file: &WitFile, files: &[WitFile]) -> Option<Box<Failure>> {
    let (map, error) = parse_package(std::iter::once((file.path, file.text))).err()?;
    let lacks_others = matches!(error.kind(), ParseErrorKind::ItemNotFound { .. }) || !error.kind().span().is_known();
    (!lacks_others).then(|| of_parse_error(&error, &map, files))
}

/// All that is wrong with the files: of each package what its own texts tell, and then of those packages that can be read how they fit
/// together. A package is only looked at where what it depends on is right.
fn problems(files: &[WitFile]) -> Vec<Box<Failure>> {
    let mut problems = Vec::new();
    let mut readable = Vec::new();
    for package in packages_of(files) {
        if parse_group(files, package).is_ok() {
            readable.push(package);
        } else {
            problems.append(&mut package_problems(files, package));
        }
    }
    let declares = |package: &str, name: &str| {
        let own = files.iter().filter(|file| file.package == package);
        own.flat_map(|file| file.text.lines())
            .filter_map(|line| line.trim_start().strip_prefix("package "))
            .any(|declared| declared.trim_start().starts_with(name))
    };
    let unreadable = |name: &str| {
        let all = packages_of(files);
        all.into_iter()
            .filter(|package| parse_group(files, package).is_err())
            .any(|package| declares(package, name))
    };
    while !readable.is_empty() {
        let mut groups: Vec<_> = readable
            .iter()
            .filter_map(|package| parse_group(files, package).ok())
            .collect();
        let mut resolve = Resolve::new();
        let first = groups.remove(0);
        let Err(error) = resolve.push_groups(first, groups) else {
            break;
        };
        let caused_elsewhere = match error.kind() {
            ResolveErrorKind::PackageNotFound { requested, .. } => {
                unreadable(&format!("{}:{}", requested.namespace, requested.name))
            }
            _ => false,
        };
        let failure = of_resolve_error(&error, &resolve.source_map, files);
        let at = files
            .iter()
            .find(|file| file.path == failure.file)
            .map(|file| file.package);
        if !caused_elsewhere {
            problems.push(failure);
        }
        let Some(package) = at else { break };
        readable.retain(|other| *other != package);
        leave_out_dependents(&mut readable, files, package);
    }
    problems
}

/// Takes out of `readable` what depends on `package`, at first or second hand.
fn leave_out_dependents(readable: &mut Vec<&str>, files: &[WitFile], package: &str) {
    let mut gone: Vec<String> = Vec::new();
    let names = |group: &UnresolvedPackageGroup| -> Vec<String> {
        let packages = std::iter::once(&group.main).chain(&group.nested);
        packages.map(|package| package.name.to_string()).collect()
    };
    if let Ok(group) = parse_group(files, package) {
        gone = names(&group);
    }
    loop {
        let before = readable.len();
        readable.retain(|other| {
            let Ok(group) = parse_group(files, other) else {
                return false;
            };
            let mut needed = std::iter::once(&group.main)
                .chain(&group.nested)
                .flat_map(|p| p.foreign_deps.keys());
            let depends = needed.any(|name| gone.contains(&name.to_string()));
            if depends {
                gone.append(&mut names(&group));
            }
            !depends
        });
        if readable.len() == before {
            return;
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

fn decode(wasm: &[u8]) -> Result<(Resolve, WorldId), Box<Failure>> {
    let invalid = |message: String| Failure::new(FailureKind::Invalid, message);
    match wasm {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => {}
        [0, b'a', b's', b'm', ..] => return Err(invalid("it is a core module, not a component".to_string())),
        _ => return Err(invalid(NOT_WASM.to_string())),
    }
    match wit_component::decode(wasm).map_err(|error| invalid(format!("not a component: {error:#}")))? {
        DecodedWasm::Component(resolve, world) => Ok((resolve, world)),
        DecodedWasm::WitPackage(..) => Err(invalid(
            "it is a WIT package in binary form, not a component".to_string(),
        )),
    }
}

fn describe(wasm: &[u8]) -> Result<String, Box<Failure>> {
    let (resolve, world) = decode(wasm)?;
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
        let resolve = resolve(&files)?;
        let locate = |span| place(span, &resolve.source_map, &files);
        let model = model::describe(&resolve, None, &locate).to_string();
        unsafe { json.write(model.into()) };
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}

/// # Safety
/// `files` points to `count` files with valid views; `problem` may be called with `user`; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_wit_problems(
    files: *const RawWitFile,
    count: u64,
    problem: ProblemCallback,
    user: *mut c_void,
    failure: *mut RawFailure,
) -> Status {
    let body = || {
        let files = unsafe { wit_files(files, count) }?;
        for found in problems(&files) {
            let mut raw = MaybeUninit::uninit();
            unsafe { store_failure(raw.as_mut_ptr(), found) };
            let mut raw = unsafe { raw.assume_init() };
            unsafe { problem(user, &raw) };
            free_failure(&mut raw);
        }
        Ok(Status::Ok)
    };
    unsafe { guard(failure, body) }
}

/// # Safety
/// `wasm` is a valid view; `json` is writable; `failure` is null or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_wasm_model(wasm: View, json: *mut OwnedString, failure: *mut RawFailure) -> Status {
    let body = || {
        let (resolve, world) = decode(unsafe { wasm.bytes() })?;
        let model = model::describe(&resolve, Some(world), &|_| None).to_string();
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
