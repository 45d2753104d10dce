//! Counts words. A word is what stands between ASCII white space; the end of an element ends a word too.

use std::collections::HashMap;

#[derive(Default)]
pub struct Words {
    counts: HashMap<Box<[u8]>, u64>,
}

impl Words {
    pub fn add(&mut self, bytes: &[u8]) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
        for word in bytes.split(is_space).filter(|word| !word.is_empty()) {
            match self.counts.get_mut(word) {
                Some(count) => *count += 1,
                None => {
                    self.counts.insert(word.into(), 1);
                }
            }
        }
    }

    /// "COUNT WORD\n", the most frequent first, equally frequent ones in the order of their bytes. Forgets them.
    pub fn take_lines(&mut self) -> Vec<Vec<u8>> {
        let mut words: Vec<(Box<[u8]>, u64)> = std::mem::take(&mut self.counts).into_iter().collect();
        words.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        let line = |(word, count): (Box<[u8]>, u64)| [count.to_string().as_bytes(), b" ", &word, b"\n"].concat();
        words.into_iter().map(line).collect()
    }
}
