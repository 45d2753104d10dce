//! The handle table of one instance: what the guest owns and what it was lent, all types together.

use wasmtime::Result;
use wasmtime::bail;

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Buffer,
    MutableBuffer,
    FlowContext,
    Batch,
    BatchWriter,
}

#[derive(Clone, Copy)]
enum Slot {
    /// The index of the slot that is used after this one.
    Free(u32),
    Own(Kind, u32),
    Borrow(Kind, u32),
}

/// What a dropped handle stood for.
pub enum Dropped {
    Own(u32),
    Borrow,
}

/// As many as the component model can number.
const HANDLES_MAX: u32 = 1 << 28;

/// Handles count from 1; the one freed last is given out first, as everywhere in the engine, so that a guest sees the same numbers on
/// either path.
#[derive(Default)]
pub struct Handles {
    slots: Vec<Slot>,
    free: u32,
    borrows: u32,
}

impl Handles {
    #[inline]
    fn insert(&mut self, slot: Slot) -> Result<u32> {
        let index = self.free;
        if let Some(place) = self.slots.get_mut(index as usize) {
            let Slot::Free(next) = std::mem::replace(place, slot) else {
                bail!("the handle table is damaged")
            };
            self.free = next;
        } else {
            if index + 1 >= HANDLES_MAX {
                bail!("cannot allocate another handle: index overflow")
            }
            self.slots.push(slot);
            self.free = index + 1;
        }
        Ok(index + 1)
    }

    #[inline]
    pub fn insert_own(&mut self, kind: Kind, rep: u32) -> Result<u32> {
        self.insert(Slot::Own(kind, rep))
    }

    /// For the call that is about to begin: it has to be dropped before the call ends.
    #[inline]
    pub fn insert_borrow(&mut self, kind: Kind, rep: u32) -> Result<u32> {
        let handle = self.insert(Slot::Borrow(kind, rep))?;
        self.borrows += 1;
        Ok(handle)
    }

    #[inline]
    fn slot(&self, handle: u32) -> Option<Slot> {
        self.slots.get(handle.checked_sub(1)? as usize).copied()
    }

    /// What a handle of either sort stands for.
    #[inline]
    pub fn rep(&self, kind: Kind, handle: u32) -> Result<u32> {
        match self.slot(handle) {
            Some(Slot::Own(found, rep) | Slot::Borrow(found, rep)) if found == kind => Ok(rep),
            Some(Slot::Own(..) | Slot::Borrow(..)) => bail!("handle index {handle} used with the wrong type"),
            Some(Slot::Free(_)) | None => bail!("unknown handle index {handle}"),
        }
    }

    #[inline]
    fn free(&mut self, handle: u32) {
        let index = handle - 1;
        self.slots[index as usize] = Slot::Free(self.free);
        self.free = index;
    }

    /// The guest gives away what it owns.
    #[inline]
    pub fn take_own(&mut self, kind: Kind, handle: u32) -> Result<u32> {
        let rep = self.rep(kind, handle)?;
        if matches!(self.slot(handle), Some(Slot::Borrow(..))) {
            bail!("handle index {handle} is a borrow, and cannot be given away")
        }
        self.free(handle);
        Ok(rep)
    }

    #[inline]
    pub fn drop(&mut self, kind: Kind, handle: u32) -> Result<Dropped> {
        let rep = self.rep(kind, handle)?;
        let borrowed = matches!(self.slot(handle), Some(Slot::Borrow(..)));
        self.free(handle);
        if !borrowed {
            return Ok(Dropped::Own(rep));
        }
        self.borrows -= 1;
        Ok(Dropped::Borrow)
    }

    /// At the end of a call.
    pub fn check_returned(&self) -> Result<()> {
        if self.borrows != 0 {
            bail!("borrow handles still remain at the end of the call")
        }
        Ok(())
    }
}
