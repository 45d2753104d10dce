//! {{name}}: counts what arrives and says at the end how much it was.

use torvyn::prelude::*;

#[derive(Default)]
struct Count {
    elements: u64,
    bytes: u64,
}

impl Sink for Count {
    fn new(_: &Settings) -> Result<Self> {
        Ok(Count::default())
    }

    fn push(&mut self, input: &Element) -> Result<()> {
        self.elements += 1;
        self.bytes += input.bytes().len() as u64;
        Ok(())
    }

    /// Called once after the last element, and only where the flow ended well.
    fn complete(&mut self) -> Result<()> {
        info!("{} elements, {} bytes", self.elements, self.bytes);
        Ok(())
    }
}

torvyn::sink!(type Count);

#[cfg(test)]
mod tests {
    use super::*;
    use torvyn::testing;

    #[test]
    fn elements_and_their_bytes_are_counted() {
        let mut count = testing::init(Count::new, "").unwrap();
        testing::push(|input| count.push(input), ["one", "three"]).unwrap();
        assert_eq!((count.elements, count.bytes), (2, 8));
        count.complete().unwrap();
    }
}
