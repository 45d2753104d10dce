//! The way from a guest to the host, made straight.
//!
//! A function that needs the guest's memory can't be imported before there is one: the tools that make components let the guest import a
//! function of a small module instead, which calls through a table, and fill the table when all is there. Our functions find the memory
//! themselves, so the guest can have them at once.

use std::collections::HashMap;

use wasmtime_environ::wasmparser::{FunctionBody, Operator};
use wasmtime_environ::{
    ConstOp, EntityIndex, FuncIndex, Initializer, ModuleTranslation, TableIndex, TableSegmentElements, TypeIndex,
};

use super::plan::{Argument, Place, Step};

/// A module whose functions do nothing but pass their arguments on through its table.
struct Detours {
    table: String,
    slots: HashMap<String, u32>,
}

/// The slot that a function passes its arguments on to, by a call of type `of`.
fn slot_of(body: &FunctionBody<'_>, is_own_type: impl Fn(u32) -> bool) -> Option<u32> {
    if body.get_locals_reader().ok()?.get_count() != 0 {
        return None;
    }
    let mut operators = body.get_operators_reader().ok()?;
    let mut arguments = 0;
    loop {
        match operators.read().ok()? {
            // In their order: the types are the same, so that all are passed on.
            Operator::LocalGet { local_index } if local_index == arguments => arguments += 1,
            Operator::I32Const { value } => {
                let call = operators.read().ok()?;
                let end = operators.read().ok()?;
                let (
                    Operator::CallIndirect {
                        type_index,
                        table_index: 0,
                    },
                    Operator::End,
                ) = (call, end)
                else {
                    return None;
                };
                let passes_on = operators.eof() && is_own_type(type_index);
                return passes_on.then(|| u32::try_from(value).ok()).flatten();
            }
            _ => return None,
        }
    }
}

fn detours(translation: &ModuleTranslation<'_>) -> Option<Detours> {
    let module = &translation.module;
    let does_more = translation.start_func.is_some()
        || !module.initializers.is_empty()
        || module.tables.len() != 1
        || !translation.table_initialization.segments.is_empty();
    if does_more {
        return None;
    }
    let mut table = None;
    let mut slots = HashMap::new();
    for (name, entity) in module.exports.iter() {
        let name = module.strings[*name].to_string();
        match entity {
            EntityIndex::Table(_) => table = Some(name),
            EntityIndex::Function(index) => {
                let body = &translation.function_body_inputs[module.defined_func_index(*index)?].body;
                let own = module.functions[*index].signature;
                let slot = slot_of(body, |ty| module.types[TypeIndex::from_u32(ty)] == own)?;
                slots.insert(name, slot);
            }
            _ => return None,
        }
    }
    Some(Detours { table: table?, slots })
}

/// Of a module that does nothing but fill a table it is given, from its first slot on: which of its arguments is the table, and which are
/// the functions.
fn filler(translation: &ModuleTranslation<'_>) -> Option<(usize, Vec<usize>)> {
    let module = &translation.module;
    let mut table = None;
    let mut functions = HashMap::new();
    for (position, initializer) in module.initializers.iter().enumerate() {
        let Initializer::Import { index, .. } = initializer;
        match index {
            EntityIndex::Function(index) => drop(functions.insert(*index, position)),
            EntityIndex::Table(index) if *index == TableIndex::from_u32(0) => table = Some(position),
            _ => return None,
        }
    }
    let [segment] = &translation.table_initialization.segments[..] else {
        return None;
    };
    let begins = matches!(segment.offset.ops(), [ConstOp::I32Const(0)]);
    let TableSegmentElements::Functions(elements) = &segment.elements else {
        return None;
    };
    if !begins || segment.table_index != TableIndex::from_u32(0) || module.tables.len() != 1 {
        return None;
    }
    let elements = elements.iter().map(|index: &FuncIndex| functions.get(index).copied());
    Some((table?, elements.collect::<Option<_>>()?))
}

fn names(argument: &Argument, instance: usize, name: &str) -> bool {
    matches!(argument, Argument::Place(place) if place.instance == instance && place.name == name)
}

/// Gives the guest's modules what they get to by a detour. `module_of`: each step's; `keep`: functions of the host that stay behind it.
pub fn straighten<'a>(
    steps: &mut [Step],
    module_of: impl Fn(usize) -> &'a ModuleTranslation<'a>,
    keep: impl Fn(&str) -> bool,
) {
    for instance in 0..steps.len() {
        let Some(detours) = detours(module_of(instance)) else {
            continue;
        };
        // Whoever else has the table could put something else in it.
        let mut users = (0..steps.len()).filter(|step| {
            let mut arguments = steps[*step].arguments.iter();
            arguments.any(|argument| names(argument, instance, &detours.table))
        });
        let (Some(filling), None) = (users.next(), users.next()) else {
            continue;
        };
        let Some((table, functions)) = filler(module_of(filling)) else {
            continue;
        };
        // Until the table is filled a call through it traps: nobody may run before.
        let is_quiet = (instance..filling).all(|step| module_of(step).start_func.is_none());
        if !is_quiet || !names(&steps[filling].arguments[table], instance, &detours.table) {
            continue;
        }
        let straight: HashMap<Place, String> = detours
            .slots
            .iter()
            .filter_map(|(name, slot)| {
                let argument = functions
                    .get(*slot as usize)
                    .map(|position| &steps[filling].arguments[*position]);
                let Some(Argument::Host(function)) = argument else {
                    return None;
                };
                let place = Place {
                    instance,
                    name: name.clone(),
                };
                (!keep(function)).then(|| (place, function.clone()))
            })
            .collect();
        for argument in steps.iter_mut().flat_map(|step| &mut step.arguments) {
            if let Argument::Place(place) = argument
                && let Some(function) = straight.get(place)
            {
                *argument = Argument::Host(function.clone());
            }
        }
    }
}
