//! What a set of WIT packages or a component says, as JSON: small enough to be read without knowing how wit-parser keeps it.
//!
//! Definitions are printed as WIT, for people; what decides whether two of them are the same on the wire is their shape, a digest in
//! which names of types, parameters and packages' versions don't count.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Map, Value, json};
use wit_parser::{
    Function, FunctionKind, Handle, InterfaceId, Resolve, Span, Stability, Type, TypeDef, TypeDefKind, TypeId,
    TypeOwner, WorldId, WorldItem, WorldKey,
};

/// Where a span is: file, line, column; lines and columns count from 1, columns count bytes.
pub type Locate<'a> = &'a dyn Fn(Span) -> Option<(String, u32, u32)>;

struct Model<'a> {
    resolve: &'a Resolve,
    locate: Locate<'a>,
    shapes: HashMap<TypeId, u64>,
}

/// All of `resolve` as JSON. `world`: the one that a component is.
pub fn describe(resolve: &Resolve, world: Option<WorldId>, locate: Locate) -> Value {
    let mut model = Model {
        resolve,
        locate,
        shapes: HashMap::new(),
    };
    let packages: Vec<Value> = resolve
        .packages
        .iter()
        .map(|(_, package)| json!({ "name": package.name.to_string() }))
        .collect();
    let interfaces: Vec<Value> = resolve.interfaces.iter().map(|(id, _)| model.interface(id)).collect();
    let worlds: Vec<Value> = resolve.worlds.iter().map(|(id, _)| model.world(id)).collect();
    json!({
        "packages": packages,
        "interfaces": interfaces,
        "worlds": worlds,
        "world": world.map(|id| id.index()),
    })
}

/// "buffer.read" for "[method]buffer.read".
fn plain_name(function: &Function) -> &str {
    function.name.rsplit(']').next().unwrap_or(&function.name)
}

impl Model<'_> {
    fn place(&self, object: &mut Map<String, Value>, span: Span, stability: &Stability) {
        if let Some((file, line, column)) = (self.locate)(span) {
            object.insert("file".to_string(), file.into());
            object.insert("line".to_string(), line.into());
            object.insert("column".to_string(), column.into());
        }
        let (Stability::Unstable { deprecated, .. } | Stability::Stable { deprecated, .. }) = stability else {
            return;
        };
        if let Some(version) = deprecated {
            object.insert("deprecated".to_string(), version.to_string().into());
        }
    }

    /// None for one that is written inside a world.
    fn interface_name(&self, id: InterfaceId) -> Option<String> {
        let interface = &self.resolve.interfaces[id];
        let package = &self.resolve.packages[interface.package?];
        Some(package.name.interface_id(interface.name.as_ref()?))
    }

    fn interface(&mut self, id: InterfaceId) -> Value {
        let interface = &self.resolve.interfaces[id];
        let types: Vec<Value> = interface
            .types
            .iter()
            .map(|(name, id)| self.named_type(name, *id))
            .collect();
        let functions: Vec<Value> = interface.functions.values().map(|f| self.function(f)).collect();
        let mut object = Map::new();
        object.insert("name".to_string(), self.interface_name(id).unwrap_or_default().into());
        object.insert("package".to_string(), interface.package.map(|id| id.index()).into());
        object.insert("types".to_string(), types.into());
        object.insert("functions".to_string(), functions.into());
        self.place(&mut object, interface.span, &interface.stability);
        object.into()
    }

    fn world(&mut self, id: WorldId) -> Value {
        let world = &self.resolve.worlds[id];
        let imports: Vec<Value> = world.imports.iter().map(|(key, item)| self.item(key, item)).collect();
        let exports: Vec<Value> = world.exports.iter().map(|(key, item)| self.item(key, item)).collect();
        let mut object = Map::new();
        object.insert("name".to_string(), world.name.as_str().into());
        object.insert("package".to_string(), world.package.map(|id| id.index()).into());
        object.insert("imports".to_string(), imports.into());
        object.insert("exports".to_string(), exports.into());
        self.place(&mut object, world.span, &world.stability);
        object.into()
    }

    fn item(&mut self, key: &WorldKey, item: &WorldItem) -> Value {
        let name = self.resolve.name_world_key(key);
        let (mut object, span, stability) = match item {
            WorldItem::Interface {
                id, span, stability, ..
            } => {
                let mut object = Map::new();
                object.insert("interface".to_string(), id.index().into());
                (object, *span, stability)
            }
            WorldItem::Function(function) => {
                let mut object = Map::new();
                object.insert("function".to_string(), self.function(function));
                (object, function.span, &function.stability)
            }
            WorldItem::Type { id, span } => {
                let mut object = Map::new();
                object.insert("type".to_string(), self.named_type(&name, *id));
                (object, *span, &self.resolve.types[*id].stability)
            }
        };
        object.insert("name".to_string(), name.into());
        self.place(&mut object, span, stability);
        object.into()
    }

    fn named_type(&mut self, name: &str, id: TypeId) -> Value {
        let ty = &self.resolve.types[id];
        let mut object = Map::new();
        object.insert("name".to_string(), name.into());
        object.insert("text".to_string(), self.definition(name, id).into());
        object.insert("shape".to_string(), format!("{:016x}", self.shape(id)).into());
        object.insert("resource".to_string(), matches!(ty.kind, TypeDefKind::Resource).into());
        let original = self.original(id);
        if original != id {
            object.insert("use".to_string(), self.full_name(original).into());
        }
        let mut refers = Vec::new();
        match &ty.kind {
            TypeDefKind::Type(_) if original != id => {}
            kind => parts(kind).into_iter().for_each(|part| self.refer(part, &mut refers)),
        }
        object.insert("refers".to_string(), refers.into());
        self.place(&mut object, ty.span, &ty.stability);
        object.into()
    }

    fn function(&mut self, function: &Function) -> Value {
        // The receiver of a method is in its name.
        let skipped = usize::from(matches!(
            function.kind,
            FunctionKind::Method(_)
                | FunctionKind::AsyncMethod(_)
                | FunctionKind::MethodGetter(_)
                | FunctionKind::MethodSetter(_)
        ));
        let parameters: Vec<String> = function.params[skipped.min(function.params.len())..]
            .iter()
            .map(|parameter| format!("{}: {}", parameter.name, self.type_name(&parameter.ty)))
            .collect();
        let name = plain_name(function);
        let parameters = parameters.join(", ");
        let kind = match function.kind {
            FunctionKind::Constructor(_) => "constructor",
            FunctionKind::Static(_) | FunctionKind::StaticGetter(_) | FunctionKind::StaticSetter(_) => "static func",
            FunctionKind::AsyncStatic(_) => "static async func",
            FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) => "async func",
            _ => "func",
        };
        let text = match &function.result {
            Some(result) if kind != "constructor" => {
                format!("{name}: {kind}({parameters}) -> {}", self.type_name(result))
            }
            _ => format!("{name}: {kind}({parameters})"),
        };
        let mut refers = Vec::new();
        for ty in function
            .params
            .iter()
            .map(|parameter| &parameter.ty)
            .chain(&function.result)
        {
            self.refer(ty, &mut refers);
        }
        let mut object = Map::new();
        object.insert("name".to_string(), name.into());
        object.insert("text".to_string(), text.into());
        object.insert(
            "shape".to_string(),
            format!("{:016x}", self.function_shape(function)).into(),
        );
        object.insert("refers".to_string(), refers.into());
        self.place(&mut object, function.span, &function.stability);
        object.into()
    }

    /// The type that a `use` brings in under `id`, from wherever it was first defined.
    fn original(&self, mut id: TypeId) -> TypeId {
        while let TypeDefKind::Type(Type::Id(next)) = &self.resolve.types[id].kind {
            if self.resolve.types[*next].owner == self.resolve.types[id].owner {
                break;
            }
            id = *next;
        }
        id
    }

    /// "torvyn:streaming/types@0.1.0.element-meta"; without an interface, the name alone.
    fn full_name(&self, id: TypeId) -> String {
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref().unwrap_or_default();
        match ty.owner {
            TypeOwner::Interface(interface) => match self.interface_name(interface) {
                Some(interface) => format!("{interface}.{name}"),
                None => name.to_string(),
            },
            TypeOwner::World(_) | TypeOwner::None => name.to_string(),
        }
    }

    /// Adds the named types that `ty` is made of, each once.
    fn refer(&self, ty: &Type, names: &mut Vec<Value>) {
        let Type::Id(id) = ty else { return };
        let id = self.original(*id);
        let definition = &self.resolve.types[id];
        if definition.name.is_none() {
            if let TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) = definition.kind {
                self.refer(&Type::Id(resource), names);
            }
            parts(&definition.kind)
                .into_iter()
                .for_each(|part| self.refer(part, names));
            return;
        }
        let name = Value::from(self.full_name(id));
        if !names.contains(&name) {
            names.push(name);
        }
    }

    fn definition(&self, name: &str, id: TypeId) -> String {
        let block = |kind: &str, lines: Vec<String>| {
            let lines: String = lines.iter().map(|line| format!("    {line},\n")).collect();
            format!("{kind} {name} {{\n{lines}}}")
        };
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                block(
                    "record",
                    fields
                        .map(|field| format!("{}: {}", field.name, self.type_name(&field.ty)))
                        .collect(),
                )
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter();
                block(
                    "variant",
                    cases
                        .map(|case| match &case.ty {
                            Some(ty) => format!("{}({})", case.name, self.type_name(ty)),
                            None => case.name.clone(),
                        })
                        .collect(),
                )
            }
            TypeDefKind::Enum(cases) => block("enum", cases.cases.iter().map(|case| case.name.clone()).collect()),
            TypeDefKind::Flags(flags) => block("flags", flags.flags.iter().map(|flag| flag.name.clone()).collect()),
            TypeDefKind::Resource => format!("resource {name}"),
            TypeDefKind::Type(ty) => {
                let original = self.original(id);
                if original == id {
                    format!("type {name} = {}", self.type_name(ty))
                } else {
                    format!("use {}", self.full_name(original))
                }
            }
            _ => format!("type {name} = {}", self.unnamed_type(&self.resolve.types[id])),
        }
    }

    fn type_name(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => {
                let definition = &self.resolve.types[*id];
                match &definition.name {
                    Some(name) => name.clone(),
                    None => self.unnamed_type(definition),
                }
            }
            Type::Bool => "bool".to_string(),
            Type::U8 => "u8".to_string(),
            Type::U16 => "u16".to_string(),
            Type::U32 => "u32".to_string(),
            Type::U64 => "u64".to_string(),
            Type::S8 => "s8".to_string(),
            Type::S16 => "s16".to_string(),
            Type::S32 => "s32".to_string(),
            Type::S64 => "s64".to_string(),
            Type::F32 => "f32".to_string(),
            Type::F64 => "f64".to_string(),
            Type::Char => "char".to_string(),
            Type::String => "string".to_string(),
            Type::ErrorContext => "error-context".to_string(),
        }
    }

    fn unnamed_type(&self, ty: &TypeDef) -> String {
        let name = |ty: &Type| self.type_name(ty);
        let maybe = |ty: &Option<Type>| ty.as_ref().map_or("_".to_string(), name);
        match &ty.kind {
            TypeDefKind::List(item) => format!("list<{}>", name(item)),
            TypeDefKind::FixedLengthList(item, length) => format!("list<{}, {length}>", name(item)),
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", name(key), name(value)),
            TypeDefKind::Option(item) => format!("option<{}>", name(item)),
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (None, None) => "result".to_string(),
                (Some(ok), None) => format!("result<{}>", name(ok)),
                (ok, Some(error)) => format!("result<{}, {}>", maybe(ok), name(error)),
            },
            TypeDefKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.types.iter().map(name).collect();
                format!("tuple<{}>", items.join(", "))
            }
            TypeDefKind::Handle(Handle::Own(id)) => name(&Type::Id(*id)),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", name(&Type::Id(*id))),
            TypeDefKind::Future(None) => "future".to_string(),
            TypeDefKind::Future(Some(item)) => format!("future<{}>", name(item)),
            TypeDefKind::Stream(None) => "stream".to_string(),
            TypeDefKind::Stream(Some(item)) => format!("stream<{}>", name(item)),
            kind => kind.as_str().to_string(),
        }
    }

    fn function_shape(&mut self, function: &Function) -> u64 {
        let mut hasher = DefaultHasher::new();
        function.kind.is_async().hash(&mut hasher);
        function.params.len().hash(&mut hasher);
        for parameter in &function.params {
            self.type_shape(&parameter.ty).hash(&mut hasher);
        }
        function
            .result
            .as_ref()
            .map(|result| self.type_shape(result))
            .hash(&mut hasher);
        hasher.finish()
    }

    fn type_shape(&mut self, ty: &Type) -> u64 {
        match ty {
            Type::Id(id) => self.shape(*id),
            primitive => {
                let mut hasher = DefaultHasher::new();
                ("primitive", self.type_name(primitive)).hash(&mut hasher);
                hasher.finish()
            }
        }
    }

    /// Equal for two types that one side may give where the other expects its own: field and case names count, the type's own name
    /// only where it is a resource. An alias is what it stands for.
    fn shape(&mut self, id: TypeId) -> u64 {
        if let Some(shape) = self.shapes.get(&id) {
            return *shape;
        }
        let resolve = self.resolve;
        let definition = &resolve.types[id];
        let mut hasher = DefaultHasher::new();
        let kind = &definition.kind;
        if !matches!(kind, TypeDefKind::Type(_)) {
            kind.as_str().hash(&mut hasher);
        }
        match kind {
            TypeDefKind::Type(ty) => {
                let shape = self.type_shape(ty);
                self.shapes.insert(id, shape);
                return shape;
            }
            TypeDefKind::Resource => {
                let name = self.full_name(id);
                let (interface, version) = name.split_once('@').unwrap_or((&name, ""));
                let own = version.rsplit('.').next().unwrap_or_default();
                (interface, own).hash(&mut hasher);
            }
            TypeDefKind::Handle(Handle::Own(resource)) => ("own", self.shape(*resource)).hash(&mut hasher),
            TypeDefKind::Handle(Handle::Borrow(resource)) => ("borrow", self.shape(*resource)).hash(&mut hasher),
            TypeDefKind::Record(record) => {
                record.fields.iter().for_each(|field| field.name.hash(&mut hasher));
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter();
                cases.for_each(|case| (&case.name, case.ty.is_some()).hash(&mut hasher));
            }
            TypeDefKind::Enum(cases) => cases.cases.iter().for_each(|case| case.name.hash(&mut hasher)),
            TypeDefKind::Flags(flags) => flags.flags.iter().for_each(|flag| flag.name.hash(&mut hasher)),
            TypeDefKind::Result(result) => (result.ok.is_some(), result.err.is_some()).hash(&mut hasher),
            TypeDefKind::FixedLengthList(_, length) => length.hash(&mut hasher),
            _ => {}
        }
        for part in parts(kind) {
            self.type_shape(part).hash(&mut hasher);
        }
        let shape = hasher.finish();
        self.shapes.insert(id, shape);
        shape
    }
}

/// The types that a type is made of. A handle's resource is none of them: it has an id, not a type.
fn parts(kind: &TypeDefKind) -> Vec<&Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| &field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).collect(),
        TypeDefKind::Map(key, value) => vec![key, value],
        TypeDefKind::Option(part)
        | TypeDefKind::List(part)
        | TypeDefKind::FixedLengthList(part, _)
        | TypeDefKind::Type(part) => vec![part],
        TypeDefKind::Future(part) | TypeDefKind::Stream(part) => part.iter().collect(),
        TypeDefKind::Resource
        | TypeDefKind::Handle(_)
        | TypeDefKind::Flags(_)
        | TypeDefKind::Enum(_)
        | TypeDefKind::Unknown => Vec::new(),
    }
}
