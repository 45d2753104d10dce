//! Whether a component's exports have the contract's types: what the engine checks when it finds a typed function.

use super::glue::Parameter;
use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ResourceType};

/// The functions of the contract and their types, as `Shapes` writes them.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("streaming/lifecycle", "init", "string -> result<_,ERROR>"),
    ("streaming/lifecycle", "teardown", " -> "),
    ("streaming/source", "pull", " -> result<option<OUT>,ERROR>"),
    ("streaming/source", "notify-backpressure", "SIGNAL -> "),
    (
        "streaming/processor",
        "process",
        "IN -> result<variant{emit(OUT),drop},ERROR>",
    ),
    ("streaming/sink", "push", "IN -> result<SIGNAL,ERROR>"),
    ("streaming/sink", "complete", " -> result<_,ERROR>"),
    ("filtering/filter", "evaluate", "IN -> result<bool,ERROR>"),
    ("filtering/router", "route", "IN -> result<list<string>,ERROR>"),
    ("aggregation/aggregator", "ingest", "IN -> result<option<OUT>,ERROR>"),
    ("aggregation/aggregator", "flush", " -> result<list<OUT>,ERROR>"),
    ("acks/acks", "acknowledge", "u64 -> "),
    (
        "batching/batch-source",
        "pull",
        "u32,borrow<batch-writer> -> result<bool,ERROR>",
    ),
    ("batching/batch-source", "notify-backpressure", "SIGNAL -> "),
    ("batching/batch-processor", "process", "RUN -> result<_,AT>"),
    ("batching/batch-router", "route", "RUN -> result<_,AT>"),
    ("batching/batch-aggregator", "ingest", "RUN -> result<_,AT>"),
    (
        "batching/batch-aggregator",
        "flush",
        "borrow<batch-writer> -> result<bool,ERROR>",
    ),
    ("batching/batch-sink", "push", "borrow<batch> -> result<SIGNAL,AT>"),
    ("batching/batch-sink", "complete", " -> result<_,ERROR>"),
];

/// What stands for what in them, the outer first.
const WORDS: [(&str, &str); 7] = [
    ("RUN", "borrow<batch>,borrow<batch-writer>"),
    (
        "IN",
        "record{meta:META,payload:borrow<buffer>,context:borrow<flow-context>}",
    ),
    ("OUT", "record{meta:META,payload:own<buffer>}"),
    ("META", "record{sequence:u64,timestamp-ns:u64,content-type:string}"),
    ("AT", "record{index:u32,error:ERROR}"),
    (
        "ERROR",
        "variant{invalid-input(string),unavailable(string),internal(string),deadline-exceeded,fatal(string)}",
    ),
    ("SIGNAL", "enum{ready,pause}"),
];

struct Shapes<'a> {
    resources: &'a [(String, ResourceType)],
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

impl Shapes<'_> {
    fn resource(&self, ty: ResourceType) -> &str {
        let known = self.resources.iter().find(|(_, known)| *known == ty);
        known.map_or("unknown", |(name, _)| name)
    }

    fn optional(&self, ty: Option<Type>) -> String {
        ty.map_or_else(|| "_".to_owned(), |ty| self.of(&ty))
    }

    fn of(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".to_owned(),
            Type::U32 => "u32".to_owned(),
            Type::U64 => "u64".to_owned(),
            Type::String => "string".to_owned(),
            Type::List(list) => format!("list<{}>", self.of(&list.ty())),
            Type::Option(option) => format!("option<{}>", self.of(&option.ty())),
            Type::Result(result) => format!("result<{},{}>", self.optional(result.ok()), self.optional(result.err())),
            Type::Enum(cases) => format!("enum{{{}}}", joined(cases.names().map(str::to_owned))),
            Type::Own(ty) => format!("own<{}>", self.resource(*ty)),
            Type::Borrow(ty) => format!("borrow<{}>", self.resource(*ty)),
            Type::Record(record) => {
                let fields = record
                    .fields()
                    .map(|field| format!("{}:{}", field.name, self.of(&field.ty)));
                format!("record{{{}}}", joined(fields))
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| match case.ty {
                    Some(ty) => format!("{}({})", case.name, self.of(&ty)),
                    None => case.name.to_owned(),
                });
                format!("variant{{{}}}", joined(cases))
            }
            _ => "another".to_owned(),
        }
    }

    fn function(&self, function: &ComponentFunc) -> String {
        let parameters = joined(function.params().map(|(_, ty)| self.of(&ty)));
        format!("{parameters} -> {}", joined(function.results().map(|ty| self.of(&ty))))
    }
}

fn shape(interface: &str, name: &str) -> Option<&'static str> {
    let mut functions = FUNCTIONS.iter();
    let found = functions.find(|(known, function, _)| *known == interface && *function == name);
    found.map(|(_, _, shape)| *shape)
}

fn expected(interface: &str, name: &str) -> Option<String> {
    let words = WORDS
        .iter()
        .fold(shape(interface, name)?.to_owned(), |shape, (word, meaning)| {
            shape.replace(word, meaning)
        });
    Some(words)
}

/// "streaming/source" of "torvyn:streaming/source@0.1.0".
pub fn bare(interface: &str) -> &str {
    let name = interface.trim_start_matches("torvyn:");
    name.split('@').next().unwrap_or(name)
}

/// What a function of the contract takes in core WebAssembly, and whether it gives a pointer to its result.
pub fn core_shape(interface: &str, name: &str) -> Option<(Vec<Parameter>, bool)> {
    use Parameter::{Long, Text, Word};
    let (takes, gives) = shape(bare(interface), name)?.split_once(" -> ")?;
    let takes = takes.split(',').filter(|word| !word.is_empty());
    let parameters = takes.flat_map(|word| match word {
        "IN" => vec![Long, Long, Text, Word, Word],
        "RUN" => vec![Word, Word],
        "string" => vec![Text],
        "u64" => vec![Long],
        _ => vec![Word],
    });
    Some((parameters.collect(), !gives.is_empty()))
}

/// The first function that is not the contract's, though its interface is.
pub fn find_drifted(engine: &Engine, component: &Component) -> Option<String> {
    let ty = component.component_type();
    let mut resources = Vec::new();
    for (_, import) in ty.imports(engine) {
        if let ComponentItem::ComponentInstance(instance) = import.ty {
            resources.extend(instance.exports(engine).filter_map(|(name, item)| match item.ty {
                ComponentItem::Resource(ty) => Some((name.to_owned(), ty)),
                _ => None,
            }));
        }
    }
    let shapes = Shapes { resources: &resources };
    for (interface, item) in ty.exports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else {
            continue;
        };
        let known = bare(interface);
        for (name, item) in instance.exports(engine) {
            let (ComponentItem::ComponentFunc(function), Some(expected)) = (item.ty, expected(known, name)) else {
                continue;
            };
            if shapes.function(&function) != expected {
                return Some(format!("{interface}#{name}"));
            }
        }
    }
    None
}
