//! A small module between the host and a guest's own functions, so that a call enters WebAssembly once: what the host would have to enter it
//! again for, `realloc` and post-return, is called from there.
//!
//! For each function of the contract that the guest exports it exports "call N", which takes what the guest's takes, but for a text its size
//! alone, and gives nothing:
//!
//!     pointer = realloc(0, 0, 1, size)
//!     text(pointer)                     the host puts the text there
//!     result = function(..., pointer, size, ...)
//!     done(result)                      the host lifts the result
//!     post-return(result)
//!
//! And in the place of the host's own `read` and `read-all`, which have to ask for room:
//!
//!     size = begin read(handle, offset, length)
//!     pointer = realloc(0, 0, 1, size)
//!     end read(pointer, result)
//!
//! Before `realloc` and post-return the host has forbidden the guest to call out, and afterwards allows it again.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, InstructionSink,
    Module, NameSection, TypeSection, ValType,
};

use super::plan::{Argument, Place};

/// The module's name: its frames are not the guest's, and are left out of backtraces.
pub const NAME: &str = "torvyn:glue";

pub const READ: &str = "streaming/types [method]buffer.read";
pub const READ_ALL: &str = "streaming/types [method]buffer.read-all";

/// What a function of the contract takes.
#[derive(Clone, Copy)]
pub enum Parameter {
    Word,
    Long,
    Text,
}

/// A guest's function: what it takes, whether it gives a pointer, where it is.
pub struct Wrapped<'a> {
    pub parameters: Vec<Parameter>,
    pub gives: bool,
    pub function: &'a Place,
    pub post_return: Option<&'a Place>,
}

pub fn call_name(index: usize) -> String {
    format!("call {index}")
}

#[derive(Default)]
struct Builder {
    types: TypeSection,
    imports: ImportSection,
    arguments: Vec<Argument>,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
}

impl Builder {
    fn ty(&mut self, takes: &[ValType], gives: &[ValType]) -> u32 {
        self.types.ty().function(takes.iter().copied(), gives.iter().copied());
        self.types.len() - 1
    }

    /// The function's index.
    fn import(&mut self, argument: Argument, takes: &[ValType], gives: &[ValType]) -> u32 {
        let ty = self.ty(takes, gives);
        self.imports.import("", "", EntityType::Function(ty));
        self.arguments.push(argument);
        self.imports.len() - 1
    }

    fn host(&mut self, name: &str, takes: &[ValType], gives: &[ValType]) -> u32 {
        self.import(Argument::Host(name.to_owned()), takes, gives)
    }

    /// Locals are 32-bit numbers. After the last import.
    fn export(&mut self, name: &str, takes: &[ValType], locals: u32, body: impl FnOnce(&mut InstructionSink<'_>)) {
        let ty = self.ty(takes, &[]);
        self.functions.function(ty);
        let index = self.imports.len() + self.functions.len() - 1;
        self.exports.export(name, ExportKind::Func, index);
        let mut function = Function::new([(locals, ValType::I32)]);
        body(&mut function.instructions());
        function.instructions().end();
        self.code.function(&function);
    }

    fn finish(self) -> (Vec<Argument>, Vec<u8>) {
        let mut names = NameSection::new();
        names.module(NAME);
        let mut module = Module::new();
        module
            .section(&self.types)
            .section(&self.imports)
            .section(&self.functions)
            .section(&self.exports)
            .section(&self.code)
            .section(&names);
        (self.arguments, module.finish())
    }
}

fn call_realloc(code: &mut InstructionSink<'_>, realloc: u32, size: u32) {
    code.i32_const(0)
        .i32_const(0)
        .i32_const(1)
        .local_get(size)
        .call(realloc);
}

impl Wrapped<'_> {
    fn core_types(&self) -> Vec<ValType> {
        let parameters = self.parameters.iter().flat_map(|parameter| match parameter {
            Parameter::Word => vec![ValType::I32],
            Parameter::Long => vec![ValType::I64],
            Parameter::Text => vec![ValType::I32, ValType::I32],
        });
        parameters.collect()
    }

    fn entry_types(&self) -> Vec<ValType> {
        let parameters = self.parameters.iter().map(|parameter| match parameter {
            Parameter::Long => ValType::I64,
            Parameter::Word | Parameter::Text => ValType::I32,
        });
        parameters.collect()
    }

    fn given(&self) -> &'static [ValType] {
        if self.gives { &[ValType::I32] } else { &[] }
    }

    fn takes_text(&self) -> bool {
        self.parameters
            .iter()
            .any(|parameter| matches!(parameter, Parameter::Text))
    }
}

/// The module and what it is given; nothing where a function takes a text and there is no `realloc`.
pub fn make(functions: &[Wrapped<'_>], realloc: Option<&Place>) -> Option<(Vec<Argument>, Vec<u8>)> {
    const WORD: ValType = ValType::I32;
    let mut glue = Builder::default();
    let text = glue.host("text", &[WORD], &[]);
    let done = glue.host("done", &[WORD], &[]);
    let begin_read = glue.host("begin read", &[WORD, ValType::I64, ValType::I64], &[WORD]);
    let end_read = glue.host("end read", &[WORD, WORD], &[]);
    let realloc = realloc.map(|place| glue.import(Argument::Place(place.clone()), &[WORD; 4], &[WORD]));
    let mut callees = Vec::new();
    for wrapped in functions {
        let function = Argument::Place(wrapped.function.clone());
        let function = glue.import(function, &wrapped.core_types(), wrapped.given());
        let post_return = wrapped.post_return;
        let post_return = post_return.map(|place| glue.import(Argument::Place(place.clone()), wrapped.given(), &[]));
        callees.push((function, post_return));
    }

    for (index, (wrapped, (function, post_return))) in functions.iter().zip(callees).enumerate() {
        if wrapped.takes_text() && realloc.is_none() {
            return None;
        }
        let takes = wrapped.entry_types();
        let (pointer, result) = (takes.len() as u32, takes.len() as u32 + 1);
        glue.export(&call_name(index), &takes, 2, |code| {
            for (parameter, local) in wrapped.parameters.iter().zip(0..) {
                if let (Parameter::Text, Some(realloc)) = (parameter, realloc) {
                    call_realloc(code, realloc, local);
                    code.local_tee(pointer).call(text);
                }
            }
            for (parameter, local) in wrapped.parameters.iter().zip(0..) {
                if matches!(parameter, Parameter::Text) {
                    code.local_get(pointer);
                }
                code.local_get(local);
            }
            code.call(function);
            if wrapped.gives {
                code.local_set(result);
            }
            code.local_get(result).call(done);
            if let Some(post_return) = post_return {
                if wrapped.gives {
                    code.local_get(result);
                }
                code.call(post_return);
            }
        });
    }

    if let Some(realloc) = realloc {
        let mut read = |name: &str, takes: &[ValType], whole: bool| {
            let (given, size, pointer) = (takes.len() as u32 - 1, takes.len() as u32, takes.len() as u32 + 1);
            glue.export(name, takes, 2, |code| {
                code.local_get(0);
                if whole {
                    code.i64_const(0).i64_const(-1);
                } else {
                    code.local_get(1).local_get(2);
                }
                code.call(begin_read).local_set(size);
                call_realloc(code, realloc, size);
                code.local_set(pointer);
                code.local_get(pointer).local_get(given).call(end_read);
            });
        };
        read(READ, &[WORD, ValType::I64, ValType::I64, WORD], false);
        read(READ_ALL, &[WORD, WORD], true);
    }
    Some(glue.finish())
}
