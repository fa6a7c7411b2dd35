//! A strict JSON scanner over exact source text.
//!
//! It answers what the fast parser does not: where a value's text begins and ends, and whether a record that the fast
//! parser refuses is well-formed after all (numbers outside the range of a double are valid JSON, RFC 8259 §6). Values are
//! never converted, so number text survives.

use std::borrow::Cow;
use std::ops::Range;

/// Deepest nesting of arrays and objects that is accepted, as in the fast parser.
pub(crate) const MAX_DEPTH: usize = 1024;

/// The first thing wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub(crate) struct SyntaxError {
    /// What is wrong.
    pub(crate) problem: &'static str,
    /// Where, from the start of the text.
    pub(crate) offset: usize,
}

/// Kind of a value, told from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Null,
    Boolean(bool),
    Number,
    String,
    Array,
    Object,
}

/// Walks over one JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    closers: Vec<u8>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            closers: Vec::new(),
        }
    }

    /// Calls `visit(key, kind, raw value text)` for every member of the object that the text holds; nothing may follow it.
    pub(crate) fn members(
        mut self,
        mut visit: impl FnMut(Cow<'a, str>, ValueKind, &'a str),
    ) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        self.expect(b'{', "expected an object")?;
        self.skip_whitespace();
        if self.take(b'}') {
            return self.expect_end();
        }
        loop {
            self.skip_whitespace();
            let key = self.string_range()?;
            self.skip_whitespace();
            self.expect(b':', "expected `:`")?;
            let (kind, range) = self.value()?;
            let key = unescape(self.slice(key)).ok_or(self.error("invalid escape"))?;
            visit(key, kind, self.slice(range));
            self.skip_whitespace();
            if !self.take(b',') {
                break;
            }
        }
        self.expect(b'}', "expected `,` or `}`")?;
        self.expect_end()
    }

    /// Calls `visit(kind, raw value text)` for every element of the array that the text holds; nothing may follow it.
    pub(crate) fn elements(mut self, mut visit: impl FnMut(ValueKind, &'a str)) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        self.expect(b'[', "expected an array")?;
        self.skip_whitespace();
        if self.take(b']') {
            return self.expect_end();
        }
        loop {
            let (kind, range) = self.value()?;
            visit(kind, self.slice(range));
            self.skip_whitespace();
            if !self.take(b',') {
                break;
            }
        }
        self.expect(b']', "expected `,` or `]`")?;
        self.expect_end()
    }

    /// Reads one value of any depth and checks all of it.
    fn value(&mut self) -> Result<(ValueKind, Range<usize>), SyntaxError> {
        self.skip_whitespace();
        let start = self.position;
        let kind = match self.peek() {
            Some(b'{' | b'[') => {
                let kind = if self.peek() == Some(b'{') {
                    ValueKind::Object
                } else {
                    ValueKind::Array
                };
                self.nested()?;
                kind
            }
            _ => self.scalar()?,
        };
        Ok((kind, start..self.position))
    }

    /// Checks an array or object without recursion, so that depth costs no stack.
    fn nested(&mut self) -> Result<(), SyntaxError> {
        self.closers.clear();
        self.open()?;
        loop {
            self.skip_whitespace();
            match self.peek() {
                Some(b'{' | b'[') => self.open()?,
                Some(b'}' | b']') if self.just_opened() => self.close()?,
                _ => {
                    self.scalar()?;
                    self.after_value()?;
                }
            }
            if self.closers.is_empty() {
                return Ok(());
            }
        }
    }

    /// Enters an array or object; in an object also reads the first key, so that the next thing is a value.
    fn open(&mut self) -> Result<(), SyntaxError> {
        if self.closers.len() >= MAX_DEPTH {
            return Err(self.error("nesting deeper than 1024"));
        }
        let is_object = self.take(b'{');
        if !is_object {
            self.expect(b'[', "expected a value")?;
        }
        self.closers.push(if is_object { b'}' } else { b']' });
        self.skip_whitespace();
        if is_object && self.peek() != Some(b'}') {
            self.key()?;
        }
        Ok(())
    }

    fn just_opened(&self) -> bool {
        let before = self.bytes().get(..self.position).unwrap_or_default();
        let last = before.iter().rev().find(|byte| !is_whitespace(**byte));
        matches!(last, Some(b'{' | b'['))
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        let Some(closer) = self.closers.pop() else {
            return Err(self.error("unexpected closing bracket"));
        };
        self.expect(closer, "mismatched closing bracket")?;
        self.after_value()
    }

    /// Reads what follows a value: closing brackets, or a comma and, in an object, the next key.
    fn after_value(&mut self) -> Result<(), SyntaxError> {
        while let Some(&closer) = self.closers.last() {
            self.skip_whitespace();
            if self.take(b',') {
                if closer == b'}' {
                    self.skip_whitespace();
                    self.key()?;
                }
                return Ok(());
            }
            self.expect(closer, "expected `,` or a closing bracket")?;
            self.closers.pop();
        }
        Ok(())
    }

    fn key(&mut self) -> Result<(), SyntaxError> {
        self.string_range()?;
        self.skip_whitespace();
        self.expect(b':', "expected `:`")
    }

    fn scalar(&mut self) -> Result<ValueKind, SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string_range().map(|_| ValueKind::String),
            Some(b't') => self.literal("true", ValueKind::Boolean(true)),
            Some(b'f') => self.literal("false", ValueKind::Boolean(false)),
            Some(b'n') => self.literal("null", ValueKind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("text ends where a value is expected")),
        }
    }

    fn literal(&mut self, word: &'static str, kind: ValueKind) -> Result<ValueKind, SyntaxError> {
        let found = self
            .bytes()
            .get(self.position..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if !found {
            return Err(self.error("expected a value"));
        }
        self.position += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Result<ValueKind, SyntaxError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(ValueKind::Number)
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        if self.position == start {
            Err(self.error("expected a digit"))
        } else {
            Ok(())
        }
    }

    /// Reads a string with its quotes and returns the range between them.
    fn string_range(&mut self) -> Result<Range<usize>, SyntaxError> {
        self.expect(b'"', "expected a string")?;
        let start = self.position;
        loop {
            let rest = self.bytes().get(self.position..).unwrap_or_default();
            let length = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            let plain = rest.get(..length).unwrap_or_default();
            if let Some(control) = plain.iter().position(|byte| *byte < 0x20) {
                self.position += control;
                return Err(self.error("raw control character in a string"));
            }
            self.position += length;
            match rest.get(length) {
                Some(b'\\') => self.escape()?,
                Some(_) => {
                    self.position += 1;
                    return Ok(start..self.position - 1);
                }
                None => return Err(self.error("text ends inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        let length = escape_length(self.bytes().get(start..).unwrap_or_default());
        let length = length.ok_or(SyntaxError {
            problem: "invalid escape or lone surrogate in a string",
            offset: start,
        })?;
        self.position += length;
        Ok(())
    }

    fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(is_whitespace) {
            self.position += 1;
        }
    }

    fn expect_end(&mut self) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        if self.position == self.text.len() {
            Ok(())
        } else {
            Err(self.error("text goes on after the value"))
        }
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), SyntaxError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.error(problem))
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.bytes().get(self.position).copied()
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    fn error(&self, problem: &'static str) -> SyntaxError {
        SyntaxError {
            problem,
            offset: self.position,
        }
    }
}

/// Text of a JSON string from between its quotes; `None` for an invalid escape.
pub(crate) fn unescape(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Some(Cow::Borrowed(raw));
    }
    serde_json::from_str(&format!("\"{raw}\"")).ok().map(Cow::Owned)
}

/// Content of a JSON string with its quotes; `None` when the text is no string.
pub(crate) fn string_content(raw: &str) -> Option<Cow<'_, str>> {
    unescape(raw.strip_prefix('"')?.strip_suffix('"')?)
}

/// Space, tab, line feed and carriage return (RFC 8259 §2).
pub(crate) fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Bytes of the escape that the text starts with; a high surrogate counts only with its low one.
fn escape_length(text: &[u8]) -> Option<usize> {
    match text {
        [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'\\', b'u', rest @ ..] => match hex_unit(rest)? {
            0xdc00..=0xdfff => None,
            0xd800..=0xdbff => {
                let low = rest.get(4..)?.strip_prefix(b"\\u")?;
                matches!(hex_unit(low)?, 0xdc00..=0xdfff).then_some(12)
            }
            _ => Some(6),
        },
        _ => None,
    }
}

fn hex_unit(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits
        .iter()
        .try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> Result<(), SyntaxError> {
        Scanner::new(&format!("[{text}]")).elements(|_, _| {})
    }

    #[test]
    fn members_come_with_exact_value_text() {
        let mut seen = Vec::new();
        let text = r#" {"a" : 1.50E+2 , "b\u0041":{"x":[1, {"y":{}}]},"c":"\"" , "d":null} "#;
        Scanner::new(text)
            .members(|key, kind, raw| seen.push((key.into_owned(), kind, raw)))
            .unwrap();
        let wanted = [
            ("a", ValueKind::Number, "1.50E+2"),
            ("bA", ValueKind::Object, r#"{"x":[1, {"y":{}}]}"#),
            ("c", ValueKind::String, r#""\"""#),
            ("d", ValueKind::Null, "null"),
        ];
        assert_eq!(seen, wanted.map(|(key, kind, raw)| (key.to_owned(), kind, raw)));
    }

    #[test]
    fn numbers_beyond_any_machine_type_are_well_formed() {
        for text in ["1e999", "-0", "123456789012345678901234567890", "0.0", "1E-400"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn malformed_values_are_refused() {
        let cases = [
            "01",
            "1.",
            ".5",
            "+1",
            "tru",
            "nul",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "[1 2]",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"a\u{1}\"",
            "\"open",
            "{]",
            "[}",
            "[",
            "{\"a\":}",
            "[,]",
            "{,}",
            "[[]",
            "1]",
        ];
        for text in cases {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_and_costs_no_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(
            check(&nested(MAX_DEPTH + 1)).unwrap_err().problem,
            "nesting deeper than 1024"
        );
        assert!(check(&"[".repeat(1_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json_on_random_text(text in r#"[\[\]{},:" \\a0-9.eEtrufalsn-]{0,24}"#) {
            let ours = check(&text).is_ok();
            let theirs = serde_json::from_str::<serde_json::Value>(&format!("[{text}]"));
            match theirs {
                Ok(_) => prop_assert!(ours, "we refuse {text}"),
                Err(error) => prop_assert!(!ours || error.to_string().contains("out of range"), "we accept {text}"),
            }
        }
    }
}
