//! Keeps the highest reading of each thermometer and says them at the end.

use std::collections::BTreeMap;

use torvyn::prelude::*;

#[derive(Default)]
struct Highest {
    degrees: BTreeMap<String, f64>,
}

impl Sink for Highest {
    fn new(_: &Settings) -> Result<Self> {
        Ok(Highest::default())
    }

    fn push(&mut self, input: &Element) -> Result<()> {
        let Some((name, degrees)) = input.text()?.split_once(' ') else {
            return Err(Error::invalid_input("no name and degrees"));
        };
        let degrees: f64 = degrees.parse().or_invalid()?;
        let highest = self.degrees.entry(name.to_string()).or_insert(degrees);
        *highest = highest.max(degrees);
        Ok(())
    }

    fn complete(&mut self) -> Result<()> {
        for (name, degrees) in &self.degrees {
            info!("{name}: {degrees:.1}");
        }
        Ok(())
    }
}

torvyn::sink!(type Highest);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn the_highest_reading_of_each_is_kept() {
        let mut highest = testing::init(Highest::new, "").unwrap();
        let readings = ["attic 32.0", "cellar 41.5", "attic 50.0", "attic 48.2"];
        testing::push(|input| highest.push(input), readings).unwrap();
        assert_eq!(highest.degrees["attic"], 50.0);
        assert_eq!(highest.degrees["cellar"], 41.5);
        highest.complete().unwrap();
    }
}
