//! One line of a web server's access log, Common or Combined Log Format, to one of JSON.
//!
//! ```text
//! 192.0.2.1 - ada [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://example.org/" "Mozilla/5.0"
//! ```
//! becomes, on one line,
//! ```text
//! {"host":"192.0.2.1","ident":null,"user":"ada","time":"2000-10-10T13:55:36-07:00","method":"GET","path":"/a.gif",
//!  "protocol":"HTTP/1.0","status":200,"bytes":2326,"referer":"http://example.org/","user_agent":"Mozilla/5.0"}
//! ```
//! "-" becomes null. A request that is not three words is kept whole, as "request". Text stays as the server wrote it,
//! its own backslashes included. The last two fields are there if the line has them.

use std::fmt;

/// Why a line cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct LineError {
    what: &'static str,
    /// Byte of the line, from 0.
    at: usize,
}

impl fmt::Display for LineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at byte {}", self.what, self.at)
    }
}

/// Appends the JSON of one line, which may end in "\n" or "\r\n". On failure `out` has no more than it had.
pub fn convert(line: &[u8], out: &mut Vec<u8>) -> Result<(), LineError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = std::str::from_utf8(line).map_err(|error| LineError {
        what: "not UTF-8",
        at: error.valid_up_to(),
    })?;
    let before = out.len();
    let converted = Cursor { line, at: 0 }.convert(out);
    if converted.is_err() {
        out.truncate(before);
    }
    converted
}

const BLANK: &str = "a blank is missing";
const TIME: &str = "the time is not [day/month/year:hour:minute:second zone]";
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn convert(mut self, out: &mut Vec<u8>) -> Result<(), LineError> {
        let host = self.word("no host")?;
        self.take(b' ', BLANK)?;
        let ident = self.word("no ident")?;
        self.take(b' ', BLANK)?;
        let user = self.word("no user")?;
        self.take(b' ', BLANK)?;
        add_text(out, "{\"host\":", host);
        add_text(out, ",\"ident\":", ident);
        add_text(out, ",\"user\":", user);

        let time = self.time()?;
        add_text(out, ",\"time\":", &time);
        self.take(b' ', BLANK)?;
        let request = self.quoted("the request is not in quotes")?;
        self.take(b' ', BLANK)?;
        add_request(out, request);

        let status = self.digits(3, 100..=999, "the status is not three digits")?;
        self.take(b' ', BLANK)?;
        add(out, ",\"status\":", status);
        let bytes = self.number_or_dash("the size is not a number or -")?;
        add(out, ",\"bytes\":", bytes);

        if self.at < self.line.len() {
            self.take(b' ', BLANK)?;
            let referer = self.quoted("the referer is not in quotes")?;
            self.take(b' ', BLANK)?;
            let agent = self.quoted("the user agent is not in quotes")?;
            if self.at < self.line.len() {
                return self.fail("more than the Combined Log Format has", self.at);
            }
            add_text(out, ",\"referer\":", referer);
            add_text(out, ",\"user_agent\":", agent);
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    fn fail<T>(&self, what: &'static str, at: usize) -> Result<T, LineError> {
        Err(LineError { what, at })
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Result<(), LineError> {
        if self.peek() != Some(byte) {
            return self.fail(what, self.at);
        }
        self.at += 1;
        Ok(())
    }

    /// The bytes up to a blank, at least one.
    fn word(&mut self, what: &'static str) -> Result<&'a str, LineError> {
        let rest = &self.line[self.at..];
        let word = &rest[..rest.find(' ').unwrap_or(rest.len())];
        if word.is_empty() {
            return self.fail(what, self.at);
        }
        self.at += word.len();
        Ok(word)
    }

    /// The bytes between two quotes; a backslash keeps the next byte from ending it.
    fn quoted(&mut self, what: &'static str) -> Result<&'a str, LineError> {
        let quote = self.at;
        self.take(b'"', what)?;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.line[start..self.at - 1]);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.fail("a quote is not closed", quote)
    }

    /// `count` digits, of a value in `range`.
    fn digits(
        &mut self,
        count: usize,
        range: std::ops::RangeInclusive<u32>,
        what: &'static str,
    ) -> Result<&'a str, LineError> {
        let start = self.at;
        while self.at < start + count && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = &self.line[start..self.at];
        let good = digits.len() == count && digits.parse().is_ok_and(|value| range.contains(&value));
        if good { Ok(digits) } else { self.fail(what, start) }
    }

    /// "[10/Oct/2000:13:55:36 -0700]" to "2000-10-10T13:55:36-07:00".
    fn time(&mut self) -> Result<String, LineError> {
        self.take(b'[', TIME)?;
        let day = self.digits(2, 1..=31, TIME)?;
        self.take(b'/', TIME)?;
        let name = self.line.as_bytes().get(self.at..self.at + 3);
        let Some(month) = MONTHS.iter().position(|month| Some(month.as_bytes()) == name) else {
            return self.fail("unknown month", self.at);
        };
        self.at += 3;
        self.take(b'/', TIME)?;
        let year = self.digits(4, 0..=9999, TIME)?;
        self.take(b':', TIME)?;
        let hour = self.digits(2, 0..=23, TIME)?;
        self.take(b':', TIME)?;
        let minute = self.digits(2, 0..=59, TIME)?;
        self.take(b':', TIME)?;
        let second = self.digits(2, 0..=60, TIME)?;
        self.take(b' ', TIME)?;
        let sign = match self.peek() {
            Some(sign @ (b'+' | b'-')) => sign as char,
            _ => return self.fail(TIME, self.at),
        };
        self.at += 1;
        let zone_hour = self.digits(2, 0..=23, TIME)?;
        let zone_minute = self.digits(2, 0..=59, TIME)?;
        self.take(b']', TIME)?;
        Ok(format!(
            "{year}-{:02}-{day}T{hour}:{minute}:{second}{sign}{zone_hour}:{zone_minute}",
            month + 1
        ))
    }

    fn number_or_dash(&mut self, what: &'static str) -> Result<&'a str, LineError> {
        let start = self.at;
        let word = self.word(what)?;
        if word == "-" {
            return Ok("null");
        }
        let leading_zero = word.len() > 1 && word.starts_with('0'); // JSON has none
        let good = !leading_zero && word.len() < 20 && word.bytes().all(|byte| byte.is_ascii_digit());
        if good { Ok(word) } else { self.fail(what, start) }
    }
}

fn add(out: &mut Vec<u8>, name: &str, json: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(json.as_bytes());
}

fn add_text(out: &mut Vec<u8>, name: &str, text: &str) {
    if text == "-" {
        return add(out, name, "null");
    }
    let json = serde_json::to_string(text).unwrap_or_default(); // a string always has a JSON form
    add(out, name, &json);
}

/// Three words, or the whole of it.
fn add_request(out: &mut Vec<u8>, request: &str) {
    let mut words = request.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(path), Some(protocol), None)
            if !method.is_empty() && !path.is_empty() && !protocol.is_empty() =>
        {
            add_text(out, ",\"method\":", method);
            add_text(out, ",\"path\":", path);
            add_text(out, ",\"protocol\":", protocol);
        }
        _ => add_text(out, ",\"request\":", request),
    }
}
