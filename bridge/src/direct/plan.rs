//! How a component is put together, as the engine's own translation of it says: a list of steps over core modules, and where its functions lie.

use serde::{Deserialize, Serialize};
use wasmtime_environ::component::{
    CanonicalOptions, CanonicalOptionsDataModel, Component, ComponentTranslation, ComponentTypesBuilder, CoreDef,
    CoreExport, Export, ExportItem, GlobalInitializer, InstantiateModule, RuntimeImportIndex, StaticModuleIndex,
    StringEncoding, Trampoline, TrampolineIndex, Translator, TypeResourceTable, TypeResourceTableIndex,
};
use wasmtime_environ::wasmparser::{Validator, WasmFeatures};
use wasmtime_environ::{EntityIndex, IndexType, ModuleTranslation, PrimaryMap, ScopeVec, Tunables};

use super::glue::{self, Wrapped};
use super::{detour, types};

/// An item of a core instance.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub instance: usize,
    pub name: String,
}

#[derive(Serialize, Deserialize)]
pub enum Argument {
    Place(Place),
    /// A function of ours, by its name in `imports`.
    Host(String),
}

/// Instantiates a module; instances are counted as they come.
#[derive(Serialize, Deserialize)]
pub struct Step {
    pub module: usize,
    pub arguments: Vec<Argument>,
}

#[derive(Serialize, Deserialize)]
pub struct ExportedFunction {
    pub interface: String,
    pub name: String,
    pub function: Place,
}

#[derive(Serialize, Deserialize, Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub memory: Option<Place>,
    pub realloc: Option<Place>,
    pub exports: Vec<ExportedFunction>,
}

type Modules<'a> = PrimaryMap<StaticModuleIndex, ModuleTranslation<'a>>;
/// An error in words: why this component has to go by the typed path.
type Fit<T> = std::result::Result<T, String>;

/// The plan of the component `wasm`, and the bytes of its modules.
pub fn make(wasm: &[u8]) -> Fit<(Plan, Vec<Vec<u8>>)> {
    let mut validator = Validator::new_with_features(WasmFeatures::default());
    let mut types = ComponentTypesBuilder::new(&validator);
    let tunables = Tunables::default_host();
    let scope = ScopeVec::new();
    // What is wrong with it the engine, which compiles the component, says better.
    let (translation, modules) = Translator::new(&tunables, &mut validator, &mut types, &scope)
        .translate(wasm)
        .map_err(|error| format!("it could not be taken apart: {error:#}"))?;
    let planner = Planner {
        component: &translation.component,
        translation: &translation,
        types: &types,
        modules: &modules,
    };
    let (mut plan, exported) = planner.plan()?;
    let mut bytes: Vec<Vec<u8>> = modules.values().map(|module| module.wasm.to_vec()).collect();
    bytes.push(plan.insert_glue(&exported, bytes.len())?);
    Ok((plan, bytes))
}

/// A function as the guest itself exports it.
struct Exported {
    interface: String,
    name: String,
    function: Place,
    post_return: Option<Place>,
}

impl Argument {
    fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Argument::Place(place) => Some(place),
            Argument::Host(_) => None,
        }
    }
}

/// Whether the glue has a function in the place of this one of the host's.
fn is_glued(function: &str) -> bool {
    function == glue::READ || function == glue::READ_ALL
}

impl Plan {
    /// Adds a step for the glue, which is the module `module`, as early as everything it needs is there: its bytes.
    fn insert_glue(&mut self, exported: &[Exported], module: usize) -> Fit<Vec<u8>> {
        let mut functions = Vec::new();
        for export in exported {
            if let Some((parameters, gives)) = types::core_shape(&export.interface, &export.name) {
                self.exports.push(ExportedFunction {
                    interface: export.interface.clone(),
                    name: export.name.clone(),
                    function: Place {
                        instance: 0,
                        name: glue::call_name(functions.len()),
                    },
                });
                functions.push(Wrapped {
                    parameters,
                    gives,
                    function: &export.function,
                    post_return: export.post_return.as_ref(),
                });
            }
        }
        let Some((arguments, bytes)) = glue::make(&functions, self.realloc.as_ref()) else {
            return no("it has no `realloc` for the texts it is given");
        };
        let needed = arguments.iter().filter_map(|argument| match argument {
            Argument::Place(place) => Some(place.instance + 1),
            Argument::Host(_) => None,
        });
        let at = needed.max().unwrap_or(0);
        for function in &mut self.exports {
            function.function.instance = at;
        }
        for step in &mut self.steps[at..] {
            for argument in &mut step.arguments {
                // What is instantiated from here on moves one place on.
                if let Some(place) = argument.place_mut().filter(|place| place.instance >= at) {
                    place.instance += 1;
                }
                if let Argument::Host(name) = argument
                    && self.realloc.is_some()
                    && is_glued(name)
                {
                    *argument = Argument::Place(Place {
                        instance: at,
                        name: name.clone(),
                    });
                }
            }
        }
        if let Some(memory) = self.memory.as_mut().filter(|place| place.instance >= at) {
            memory.instance += 1;
        }
        self.steps.insert(at, Step { module, arguments });
        Ok(bytes)
    }
}

struct Planner<'a> {
    component: &'a Component,
    translation: &'a ComponentTranslation,
    types: &'a ComponentTypesBuilder,
    modules: &'a Modules<'a>,
}

fn no<T>(why: &str) -> Fit<T> {
    Err(why.to_owned())
}

impl Planner<'_> {
    fn plan(&self) -> Fit<(Plan, Vec<Exported>)> {
        self.check_imports()?;
        let mut plan = Plan::default();
        let mut modules_of = Vec::new();
        let (mut memories, mut reallocs, mut post_returns) = (Vec::new(), Vec::new(), Vec::new());
        for initializer in &self.component.initializers {
            match initializer {
                GlobalInitializer::InstantiateModule(InstantiateModule::Static(module, arguments), _) => {
                    let arguments = arguments.iter().map(|def| self.argument(def, &modules_of));
                    let arguments = arguments.collect::<Fit<Vec<Argument>>>()?;
                    plan.steps.push(Step {
                        module: module.as_u32() as usize,
                        arguments,
                    });
                    modules_of.push(*module);
                }
                GlobalInitializer::InstantiateModule(..) => return no("it instantiates a module it was given"),
                GlobalInitializer::LowerImport { .. } => {}
                GlobalInitializer::ExtractMemory(extract) => {
                    memories.push(self.place(&extract.export.clone().map_index(EntityIndex::Memory), &modules_of)?);
                }
                GlobalInitializer::ExtractRealloc(extract) => {
                    reallocs.push(self.core_place(&extract.def, &modules_of)?)
                }
                GlobalInitializer::ExtractPostReturn(extract) => {
                    post_returns.push(self.core_place(&extract.def, &modules_of)?);
                }
                GlobalInitializer::ExtractCallback(_) => return no("it has asynchronous functions"),
                GlobalInitializer::ExtractTable(_) => return no("it starts threads"),
                GlobalInitializer::Resource(_) => return no("it defines resources of its own"),
            }
        }
        if memories.len() > 1 {
            return no("it has more than one memory");
        }
        if reallocs.len() > 1 {
            return no("it has more than one `realloc`");
        }
        self.check_options()?;
        let has_realloc = !reallocs.is_empty();
        let module_of = |step: usize| &self.modules[modules_of[step]];
        detour::straighten(&mut plan.steps, module_of, |function| has_realloc && is_glued(function));
        let mut memories_of = self.modules.values().flat_map(|module| module.module.memories.values());
        if memories_of.any(|memory| memory.idx_type == IndexType::I64 || memory.shared) {
            return no("its memory is a 64-bit or a shared one");
        }
        plan.memory = memories.pop();
        plan.realloc = reallocs.pop();
        Ok((plan, self.exports(&modules_of, &post_returns)?))
    }

    fn check_imports(&self) -> Fit<()> {
        for (name, _) in self.component.import_types.values() {
            if !name.starts_with("torvyn:") {
                return Err(format!("it imports {name}"));
            }
        }
        Ok(())
    }

    /// Each of them: what is not looked at could not be kept.
    fn check_options(&self) -> Fit<()> {
        let mut instance = None;
        for (_, options) in &self.component.options {
            if options.async_ || options.callback.is_some() || options.cancellable {
                return no("it has asynchronous functions");
            }
            if options.string_encoding != StringEncoding::Utf8 {
                return no("its strings are not in UTF-8");
            }
            if !matches!(options.data_model, CanonicalOptionsDataModel::LinearMemory(_)) {
                return no("it keeps values in garbage-collected memory");
            }
            if *instance.get_or_insert(options.instance) != options.instance {
                return no("it consists of several components");
            }
        }
        Ok(())
    }

    fn place(&self, export: &CoreExport<EntityIndex>, modules_of: &[StaticModuleIndex]) -> Fit<Place> {
        let instance = export.instance.as_u32() as usize;
        let name = match &export.item {
            ExportItem::Name(name) => name.clone(),
            ExportItem::Index(index) => {
                let translation = &self.modules[modules_of[instance]];
                let mut exports = translation.module.exports.iter();
                let Some((name, _)) = exports.find(|(_, found)| *found == index) else {
                    return no("it uses what a module does not export");
                };
                translation.module.strings[*name].to_string()
            }
        };
        Ok(Place { instance, name })
    }

    fn core_place(&self, def: &CoreDef, modules_of: &[StaticModuleIndex]) -> Fit<Place> {
        match def {
            CoreDef::Export(export) => self.place(export, modules_of),
            _ => no("its functions are not those of a module"),
        }
    }

    fn argument(&self, def: &CoreDef, modules_of: &[StaticModuleIndex]) -> Fit<Argument> {
        match def {
            CoreDef::Export(export) => self.place(export, modules_of).map(Argument::Place),
            CoreDef::Trampoline(index) => self.trampoline(*index).map(Argument::Host),
            _ => no("it needs more of the engine than functions"),
        }
    }

    fn trampoline(&self, index: TrampolineIndex) -> Fit<String> {
        match &self.translation.trampolines[index] {
            Trampoline::LowerImport { index, .. } => {
                let mut lowered = self.component.initializers.iter().filter_map(|step| match step {
                    GlobalInitializer::LowerImport { index, import } => Some((*index, *import)),
                    _ => None,
                });
                let Some((_, import)) = lowered.find(|(found, _)| found == index) else {
                    return no("it lowers what it does not import");
                };
                self.imported(import)
            }
            Trampoline::ResourceDrop { ty, .. } => Ok(format!("drop {}", self.resource(*ty)?)),
            _ => no("it needs more of the engine than the contract's functions"),
        }
    }

    /// "streaming/types [method]buffer.size": the version is one that the typed linker found compatible.
    fn imported(&self, import: RuntimeImportIndex) -> Fit<String> {
        let (interface, path) = &self.component.imports[import];
        let (interface, _) = &self.component.import_types[*interface];
        let [function] = path.as_slice() else {
            return no("it imports functions without an interface");
        };
        let name = interface.split('@').next().unwrap_or(interface);
        Ok(format!("{} {function}", name.trim_start_matches("torvyn:")))
    }

    fn resource(&self, ty: TypeResourceTableIndex) -> Fit<String> {
        let TypeResourceTable::Concrete { ty, .. } = self.types[ty] else {
            return no("it drops a resource that nobody defines");
        };
        // Imported ones are numbered first, those of its own behind them.
        let mut imported = self.component.imported_resources.iter();
        let Some((_, import)) = imported.find(|(index, _)| *index == ty) else {
            return no("it defines resources of its own");
        };
        self.imported(*import)
    }

    fn exports(&self, modules_of: &[StaticModuleIndex], post_returns: &[Place]) -> Fit<Vec<Exported>> {
        let mut functions = Vec::new();
        for (interface, (index, _)) in self.component.exports.raw_iter() {
            let Export::Instance { exports, .. } = &self.component.export_items[*index] else {
                continue;
            };
            for (name, (index, _)) in exports.raw_iter() {
                let Export::LiftedFunction { func, options, .. } = &self.component.export_items[*index] else {
                    continue;
                };
                let options: &CanonicalOptions = &self.component.options[*options];
                let post_return = options
                    .post_return
                    .map(|index| post_returns[index.as_u32() as usize].clone());
                functions.push(Exported {
                    interface: interface.to_string(),
                    name: name.to_string(),
                    function: self.core_place(func, modules_of)?,
                    post_return,
                });
            }
        }
        Ok(functions)
    }
}
