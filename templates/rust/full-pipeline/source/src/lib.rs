//! Readings of thermometers, "NAME DEGREES-CELSIUS", as many as the setting `count` says (100). Every tenth is broken.

use torvyn::prelude::*;

struct Thermometers {
    next: u64,
    count: u64,
}

impl Source for Thermometers {
    fn new(settings: &Settings) -> Result<Self> {
        Ok(Thermometers {
            next: 0,
            count: settings.get_or("count", 100)?,
        })
    }

    fn pull(&mut self, out: &mut Output) -> Result<Next> {
        if self.next == self.count {
            return Ok(Next::End);
        }
        let name = ["attic", "cellar", "garden"][self.next as usize % 3];
        match self.next % 10 {
            9 => out.emit(format!("{name} ?")),
            step => out.emit(format!("{name} {}", 2 * step)),
        }
        self.next += 1;
        Ok(Next::More)
    }
}

torvyn::source!(type Thermometers);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn every_tenth_reading_is_broken() {
        let thermometers = testing::init(Thermometers::new, r#"{"count": 11}"#).unwrap();
        let (readings, ended) = testing::pull(thermometers);
        assert_eq!(readings[..2], ["attic 0", "cellar 2"]);
        assert_eq!(readings[9..], ["attic ?", "cellar 0"]);
        assert_eq!(ended, Ok(()));
    }
}
