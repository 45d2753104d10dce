//! `tvb_stop`: asks an instance to end, whether its guest runs or waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::ffi::quiet;

#[derive(Default)]
pub struct Stop {
    raised: AtomicBool,
    /// Who waits beside it: one at most, as an instance is in one call at a time.
    waiting: Mutex<Option<Waker>>,
}

impl Stop {
    fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        let waiting = self.waiting().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Ready once it is raised; until then `context` will be woken when it is.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        // Put down before the look: whoever raises it after the look finds the waker.
        *self.waiting() = Some(context.waker().clone());
        if self.is_raised() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `tvb_stop`.
pub struct StopHandle(pub Arc<Stop>);

#[unsafe(no_mangle)]
pub extern "C" fn tvb_stop_new() -> *mut StopHandle {
    Box::into_raw(Box::new(StopHandle(Arc::default())))
}

/// # Safety
/// `stop` came from `tvb_stop_new` and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_stop_raise(stop: *const StopHandle) {
    quiet((), || unsafe { &*stop }.0.raise());
}

/// # Safety
/// As `tvb_stop_raise`, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tvb_stop_free(stop: *mut StopHandle) {
    if !stop.is_null() {
        quiet((), || drop(unsafe { Box::from_raw(stop) }));
    }
}
