//! Makes Fahrenheit of Celsius. A reading without a number is an error about that element: the flow skips it.

use torvyn::prelude::*;

fn to_fahrenheit(input: &Element, out: &mut Output) -> Result<()> {
    let Some((name, degrees)) = input.text()?.split_once(' ') else {
        return Err(Error::invalid_input("no name and degrees"));
    };
    let celsius: f64 = degrees.parse().or_invalid()?;
    out.emit(format!("{name} {:.1}", celsius * 1.8 + 32.0));
    Ok(())
}

torvyn::processor!(to_fahrenheit);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn degrees_are_converted() {
        let ran = testing::process(to_fahrenheit, ["attic 100", "cellar -40"]);
        assert_eq!(ran.outputs, ["attic 212.0", "cellar -40.0"]);
    }

    #[test]
    fn a_broken_reading_is_an_error_about_it() {
        let ran = testing::process(to_fahrenheit, ["attic 0", "garden ?"]);
        assert_eq!(ran.outputs, ["attic 32.0"]);
        assert_eq!(ran.error.unwrap().index, 1);
    }
}
