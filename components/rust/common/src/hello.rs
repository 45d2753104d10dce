//! Elements "hello 0\n", "hello 1\n", …

use crate::settings::{Settings, number};

const TEXT_BYTES_MAX: usize = 6 + 20 + 1; // "hello ", the longest number, "\n"
const SIZE_MAX: u64 = 16 * 1024 * 1024;

pub struct Hello {
    next: u64,
    count: u64,
    size: usize,
}

impl Hello {
    /// Reads `count` (main setting; 10) and `size`, the least bytes of an element.
    pub fn new(config: &str) -> Result<Hello, String> {
        let settings = Settings::parse(config)?;
        let count = settings
            .main("count")
            .map_or(Ok(10), |text| number("count", &text, "a whole number"))?;
        let what = "a whole number up to 16777216";
        let size = settings
            .get("size")
            .map_or(Ok(0), |text| match number("size", &text, what)? {
                size if size <= SIZE_MAX => Ok(size),
                _ => Err(format!("`size` is \"{text}\", not {what}")),
            })?;
        Ok(Hello {
            next: 0,
            count,
            size: size as usize,
        })
    }

    /// Elements still to come.
    pub fn left(&self) -> u64 {
        self.count - self.next
    }

    /// Most bytes one element takes.
    pub fn element_bytes_max(&self) -> usize {
        self.size.max(TEXT_BYTES_MAX)
    }

    /// Room for `count` elements, filled with the padding.
    pub fn make_room(&self, count: usize) -> Vec<u8> {
        vec![b'.'; count * self.element_bytes_max()]
    }

    /// Writes the next element at the beginning of `at`, room made by `make_room`, and returns its size. Padding
    /// beyond the text's longest form is left as it is: writing a large element costs no more than a small one.
    pub fn write(&mut self, at: &mut [u8]) -> usize {
        let mut digits = [0u8; 20];
        let mut first = digits.len();
        let mut number = self.next;
        self.next += 1;
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        at[..6].copy_from_slice(b"hello ");
        let mut size = 6 + digits.len() - first;
        at[6..size].copy_from_slice(&digits[first..]);
        if self.size > size + 1 {
            let padded = self.size - 1;
            at[size..padded.min(TEXT_BYTES_MAX).max(size)].fill(b'.');
            size = padded;
        }
        at[size] = b'\n';
        size + 1
    }
}
