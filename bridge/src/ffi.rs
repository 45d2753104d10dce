//! What every entry point shares: views in, owned strings out, failures as data, and no panic across the boundary.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes lent by the other side for the length of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    pub data: *const u8,
    pub size: u64,
}

impl View {
    pub const EMPTY: View = View {
        data: std::ptr::null(),
        size: 0,
    };

    pub fn of(bytes: &[u8]) -> View {
        View {
            data: bytes.as_ptr(),
            size: bytes.len() as u64,
        }
    }

    /// # Safety
    /// `data` must point to `size` readable bytes that stay unchanged for `'a`; any pointer will do where `size` is 0.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        let size = usize::try_from(self.size).unwrap_or(0);
        unsafe { std::slice::from_raw_parts(self.data, size) }
    }

    /// # Safety
    /// As `bytes`.
    pub unsafe fn text<'a>(self) -> Result<&'a str, Box<Failure>> {
        std::str::from_utf8(unsafe { self.bytes() })
            .map_err(|e| Failure::new(FailureKind::Invalid, format!("text is not UTF-8: {e}")))
    }
}

/// Bytes that belong to the other side until it gives them back.
#[repr(C)]
pub struct OwnedString {
    data: *mut u8,
    size: u64,
}

impl OwnedString {
    pub const EMPTY: OwnedString = OwnedString {
        data: std::ptr::null_mut(),
        size: 0,
    };
}

impl From<Vec<u8>> for OwnedString {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return OwnedString::EMPTY;
        }
        let size = bytes.len() as u64;
        OwnedString {
            data: Box::into_raw(bytes.into_boxed_slice()).cast(),
            size,
        }
    }
}

impl From<String> for OwnedString {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

/// `tvb_status`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Ok = 0,
    Failed = 1,
    GuestError = 2,
    Nothing = 3,
    Pause = 4,
}

/// `tvb_failure_kind`.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    Other = 0,
    Panic = 1,
    Invalid = 2,
    Unresolved = 3,
    Import = 4,
    Export = 5,
    Limit = 6,
    Unreachable = 10,
    StackOverflow = 11,
    MemoryBounds = 12,
    Arithmetic = 13,
    IndirectCall = 14,
    Timeout = 15,
    Stopped = 16,
    Handle = 17,
    Borrow = 18,
    Refused = 19,
    Contract = 20,
    Exit = 21,
    Folder = 22,
    WasiHandles = 23,
    Trap = 29,
}

/// A failure on its way out. Boxed from the start: it is large and rare, and every call's result would have room for it.
#[derive(Debug)]
pub struct Failure {
    pub kind: FailureKind,
    pub refusal_code: u32,
    pub message: String,
    pub backtrace: String,
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub memory_grow_failed: u64,
    pub engine_memory_full: bool,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Box<Failure> {
        Box::new(Failure {
            kind,
            refusal_code: 0,
            message: message.into(),
            backtrace: String::new(),
            file: String::new(),
            line: 0,
            column: 0,
            memory_grow_failed: 0,
            engine_memory_full: false,
        })
    }
}

/// `tvb_failure`.
#[repr(C)]
pub struct RawFailure {
    kind: u32,
    refusal_code: u32,
    message: OwnedString,
    backtrace: OwnedString,
    file: OwnedString,
    line: u32,
    column: u32,
    memory_grow_failed: u64,
    engine_memory_full: bool,
}

/// Fills the caller's failure. What stood there before is overwritten, not freed: it was uninitialised or freed by the caller.
///
/// # Safety
/// `out` is null or points to writable memory of a `RawFailure`.
#[cold]
pub unsafe fn store_failure(out: *mut RawFailure, failure: Box<Failure>) -> Status {
    if !out.is_null() {
        let raw = RawFailure {
            kind: failure.kind as u32,
            refusal_code: failure.refusal_code,
            message: failure.message.into(),
            backtrace: failure.backtrace.into(),
            file: failure.file.into(),
            line: failure.line,
            column: failure.column,
            memory_grow_failed: failure.memory_grow_failed,
            engine_memory_full: failure.engine_memory_full,
        };
        unsafe { out.write(raw) };
    }
    Status::Failed
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_string())
}

/// Runs the body of an entry point: failures and panics become a filled `RawFailure` and `Status::Failed`.
///
/// # Safety
/// `out` is null or points to writable memory of a `RawFailure`.
pub unsafe fn guard(out: *mut RawFailure, body: impl FnOnce() -> Result<Status, Box<Failure>>) -> Status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => unsafe { store_failure(out, failure) },
        Err(payload) => unsafe { store_failure(out, Failure::new(FailureKind::Panic, panic_text(payload.as_ref()))) },
    }
}

/// Runs the body of an entry point that cannot fail; a panic gives `fallback`.
pub fn quiet<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

fn free_owned(text: &mut OwnedString) {
    if !text.data.is_null() {
        let size = usize::try_from(text.size).unwrap_or(0);
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(text.data, size)) });
        *text = OwnedString::EMPTY;
    }
}

pub fn free_failure(failure: &mut RawFailure) {
    free_owned(&mut failure.message);
    free_owned(&mut failure.backtrace);
    free_owned(&mut failure.file);
}

/// # Safety
/// `text` is null or a string filled by this library and not freed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_string_free(text: *mut OwnedString) {
    if let Some(text) = unsafe { text.as_mut() } {
        quiet((), || free_owned(text));
    }
}

/// # Safety
/// `failure` is null or was filled by this library and not freed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_failure_free(failure: *mut RawFailure) {
    if let Some(failure) = unsafe { failure.as_mut() } {
        quiet((), || free_failure(failure));
    }
}
