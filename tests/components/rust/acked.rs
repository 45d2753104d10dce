//! A source of ten elements, three a pull, that logs what it is told.

use torvyn::prelude::*;

struct Acked(u32);

impl Source for Acked {
    fn new(_: &Settings) -> Result<Self> {
        Ok(Acked(0))
    }

    fn pull(&mut self, out: &mut Output) -> Result<Next> {
        for _ in 0..3 {
            out.emit(format!("{}\n", self.0));
            self.0 += 1;
            if self.0 == 10 {
                return Ok(Next::End);
            }
        }
        Ok(Next::More)
    }

    fn acknowledge(&mut self, up_to: u64) {
        info!("acked {up_to}");
    }
}

impl Drop for Acked {
    fn drop(&mut self) {
        warn!("gone");
    }
}

torvyn::source!(type Acked, acks);
