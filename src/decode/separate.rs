//! Separating the records of a text that is too large, or too broken, to be parsed as a whole.
//!
//! The separator only follows quotes and brackets. It judges no record: each one is parsed alone afterwards.

use std::ops::Range;

use serde_json::value::RawValue;

use super::lines;
use super::scan::is_whitespace;

/// Bytes that are looked through in vain for the ends of values at the top level before each is held to its own line.
const PATIENCE_BYTES: usize = 64 << 20;

/// What comes next in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// An element of the record array.
    Record(Range<usize>),
    /// A value at the top level that is not, or does not hold, a record array.
    Document(Range<usize>),
    /// Text at the top level that is no JSON object.
    Stray(Range<usize>),
    /// A value that goes on past the end of the window; its start.
    Incomplete(usize),
    /// Nothing but white space is left in the window.
    Exhausted,
}

/// Follows the structure of a text across windows.
#[derive(Debug, Clone)]
pub(crate) struct Separator {
    state: State,
    patience: usize,
}

impl Default for Separator {
    fn default() -> Self {
        Self {
            state: State::default(),
            patience: PATIENCE_BYTES,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    TopLevel,
    Elements {
        in_object: bool,
    },
    /// Behind the record array of an object: other members until the object closes.
    RestOfObject,
}

/// Members whose array holds the records: of a CloudTrail file, and of LookupEvents output.
const RECORD_ARRAYS: [&[u8]; 2] = [b"\"Records\"", b"\"Events\""];

impl Separator {
    /// Finds what comes next in `window` from `position` on; records begin with the member `first_key`.
    pub(crate) fn next(&mut self, window: &[u8], position: &mut usize, first_key: &[u8]) -> Step {
        loop {
            skip_separators(window, position);
            let Some(&byte) = window.get(*position) else {
                return Step::Exhausted;
            };
            match (self.state, byte) {
                (State::RestOfObject, _) => match record_array_in(window, *position) {
                    ObjectHead::RecordArray(first) => {
                        self.state = State::Elements { in_object: true };
                        *position = first;
                        continue;
                    }
                    ObjectHead::Plain(end) => {
                        self.state = State::TopLevel;
                        *position = end;
                        continue;
                    }
                    ObjectHead::Incomplete => return Step::Incomplete(*position),
                },
                (State::Elements { in_object }, b']') => {
                    self.state = if in_object {
                        State::RestOfObject
                    } else {
                        State::TopLevel
                    };
                }
                (State::TopLevel, b'[') if self.is_record_array(window, *position, first_key) => {
                    self.state = State::Elements { in_object: false };
                }
                (State::TopLevel, b'{') => match record_array_in(self.reach(window, *position), *position + 1) {
                    ObjectHead::RecordArray(first) => {
                        self.state = State::Elements { in_object: true };
                        *position = first;
                        continue;
                    }
                    ObjectHead::Plain(end) => return Step::Document(take(position, end)),
                    ObjectHead::Incomplete => return Step::Incomplete(*position),
                },
                (State::TopLevel, _) => {
                    return match lines::end_of_stray(window, *position, first_key) {
                        Some(end) => Step::Stray(take(position, end)),
                        None => Step::Incomplete(*position),
                    };
                }
                (State::Elements { .. }, _) => {
                    return match value_end(window, *position) {
                        Some(end) => Step::Record(take(position, end)),
                        None => Step::Incomplete(*position),
                    };
                }
            }
            *position += 1;
        }
    }

    fn is_record_array(&mut self, window: &[u8], start: usize, first_key: &[u8]) -> bool {
        let is_array = self.patience == 0 || lines::is_record_array(window, start, first_key);
        if value_end(window, start).is_none() || !is_array {
            self.was_broken(window.len() - start);
        }
        is_array
    }

    /// The part of the window in which a value that starts at `start` may end.
    fn reach<'w>(&self, window: &'w [u8], start: usize) -> &'w [u8] {
        let end = match self.patience {
            0 => lines::document_end(window, start),
            _ => None,
        };
        end.and_then(|end| window.get(..end)).unwrap_or(window)
    }

    /// Notes how much was looked through for a value at the top level that turned out to be broken.
    pub(crate) fn was_broken(&mut self, looked_through: usize) {
        self.patience = self.patience.saturating_sub(looked_through);
    }

    /// Whether every bracket around the records is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::TopLevel
    }

    /// Whether the elements at hand are those of a named array of an object, as `Records`.
    pub(crate) fn is_in_named_array(&self) -> bool {
        self.state == State::Elements { in_object: true }
    }

    /// Goes on as inside a record array, wherever the structure seemed to stand.
    pub(crate) fn resume_in_array(&mut self) {
        if !matches!(self.state, State::Elements { .. }) {
            self.state = State::Elements { in_object: true };
        }
    }
}

/// Follows the rest of one value across windows without keeping it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Skipper {
    depth: usize,
    in_string: bool,
    escaped: bool,
    ends_at_newline: bool,
}

impl Skipper {
    /// Follows a value that began without a newline: the next one ends it, for there is none inside a string.
    pub(crate) fn of_line() -> Self {
        Self {
            ends_at_newline: true,
            ..Self::default()
        }
    }

    /// Position behind the value in this window; `None` when it goes on.
    pub(crate) fn skip(&mut self, window: &[u8]) -> Option<usize> {
        for (position, &byte) in window.iter().enumerate() {
            if self.ends_at_newline && byte == b'\n' {
                return Some(position);
            }
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                self.in_string = byte != b'"';
                self.escaped = byte == b'\\';
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => continue,
                }
            }
            if self.depth == 0 && !self.in_string && !self.escaped {
                return Some(position + 1);
            }
        }
        None
    }
}

/// Position behind the value that starts at `start`, by quotes and brackets alone; `None` when it goes on.
pub(crate) fn value_end(window: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut position = start;
    loop {
        match *window.get(position)? {
            b'"' => {
                position = string_end(window, position + 1)?;
                if depth == 0 {
                    return Some(position);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(position.max(start + 1)),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(position + 1);
                }
            }
            b',' | b':' if depth == 0 => return Some(position.max(start + 1)),
            byte if depth == 0 && is_whitespace(byte) => return Some(position),
            _ => {}
        }
        position += 1;
    }
}

/// Position behind the closing quote of a string whose content starts at `start`.
fn string_end(window: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    loop {
        position += memchr::memchr2(b'"', b'\\', window.get(position..)?)?;
        if window.get(position) == Some(&b'"') {
            return Some(position + 1);
        }
        position += 2;
    }
}

enum ObjectHead {
    /// Position behind the opening bracket of the record array.
    RecordArray(usize),
    /// Position behind an object without one.
    Plain(usize),
    Incomplete,
}

/// Looks for a record array among the members of an object, from the member that starts at `position` on.
fn record_array_in(window: &[u8], mut position: usize) -> ObjectHead {
    let mut is_key = true;
    let mut key: &[u8] = &[];
    loop {
        while let Some(&byte) = window.get(position)
            && (is_whitespace(byte) || matches!(byte, b',' | b':'))
        {
            is_key |= byte == b',';
            is_key &= byte != b':';
            position += 1;
        }
        match window.get(position) {
            None => return ObjectHead::Incomplete,
            Some(b'}') => return ObjectHead::Plain(position + 1),
            Some(b'[') if !is_key && RECORD_ARRAYS.contains(&key) => return ObjectHead::RecordArray(position + 1),
            Some(_) => {}
        }
        let Some(end) = value_end(window, position) else {
            return ObjectHead::Incomplete;
        };
        if is_key {
            key = window.get(position..end).unwrap_or_default();
        }
        position = end;
    }
}

fn skip_separators(window: &[u8], position: &mut usize) {
    while let Some(&byte) = window.get(*position)
        && (is_whitespace(byte) || byte == b',')
    {
        *position += 1;
    }
}

fn take(position: &mut usize, end: usize) -> Range<usize> {
    let range = *position..end;
    *position = end;
    range
}

/// Whether what stands at `position` can follow a record: the end of the array, or a comma and another element. Strings,
/// numbers and words are elements only if another record or the end of the array follows them.
pub(crate) fn is_after_record(window: &[u8], mut position: usize) -> bool {
    loop {
        match mark_at(window, &mut position) {
            Some(b',') => position += 1,
            Some(b']') | None => return true,
            Some(_) => return false,
        }
        match mark_at(window, &mut position) {
            Some(b'{') | None => return true,
            Some(b'[') => return false,
            Some(_) => {}
        }
        let Some(end) = value_end(window, position) else {
            return false;
        };
        let element = window.get(position..end).unwrap_or_default();
        if serde_json::from_slice::<&RawValue>(element).is_err() {
            return false;
        }
        position = end;
    }
}

/// The byte at `position` after white space is skipped.
fn mark_at(window: &[u8], position: &mut usize) -> Option<u8> {
    while window.get(*position).is_some_and(|byte| is_whitespace(*byte)) {
        *position += 1;
    }
    window.get(*position).copied()
}

/// Finds where the next record starts, judging by the name of the first member that records of this object begin with: behind
/// a comma or another record, or at the start of a line.
pub(crate) fn next_record_start(window: &[u8], from: usize, first_key: &[u8]) -> Option<usize> {
    let mut search = from;
    loop {
        let found = search + memchr::memmem::find(window.get(search..)?, first_key)?;
        let before = window.get(from..found).unwrap_or_default();
        let mut marks = before
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| !is_whitespace(**byte));
        if let Some((brace, b'{')) = marks.next()
            && (matches!(marks.next(), Some((_, b',' | b'}')))
                || before.get(..brace).is_some_and(|head| head.ends_with(b"\n")))
        {
            return Some(from + brace);
        }
        search = found + first_key.len().max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<(&'static str, String)> {
        let mut separator = Separator::default();
        let mut position = 0;
        let mut steps = Vec::new();
        let text_of = |range: Range<usize>| text.get(range).unwrap().to_owned();
        loop {
            steps.push(
                match separator.next(text.as_bytes(), &mut position, br#""eventVersion""#) {
                    Step::Record(range) => ("record", text_of(range)),
                    Step::Document(range) => ("document", text_of(range)),
                    Step::Stray(range) => ("stray", text_of(range)),
                    Step::Incomplete(start) => {
                        steps.push(("incomplete", text_of(start..text.len())));
                        return steps;
                    }
                    Step::Exhausted => return steps,
                },
            );
        }
    }

    fn owned(steps: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        steps.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
    }

    #[test]
    fn records_of_a_cloudtrail_file_are_separated() {
        let text = r#" { "Owner":"x", "Records" : [ {"a":"}]\""} , {"b":[1]} ] , "more":{"x":1} } "#;
        assert_eq!(
            steps(text),
            owned(&[("record", r#"{"a":"}]\""}"#), ("record", r#"{"b":[1]}"#)])
        );
    }

    #[test]
    fn json_lines_and_concatenated_files_are_separated() {
        let text = "{\"a\":1}\n{\"b\":2}\n{\"Records\":[{\"c\":3}]}{\"Records\":[]}[{\"d\":4}]";
        let wanted = owned(&[
            ("document", r#"{"a":1}"#),
            ("document", r#"{"b":2}"#),
            ("record", r#"{"c":3}"#),
            ("record", r#"{"d":4}"#),
        ]);
        assert_eq!(steps(text), wanted);
    }

    #[test]
    fn cut_text_ends_with_the_incomplete_record() {
        let text = r#"{"Records":[{"a":1},{"b":"cut"#;
        assert_eq!(
            steps(text),
            owned(&[("record", r#"{"a":1}"#), ("incomplete", r#"{"b":"cut"#)])
        );
    }

    #[test]
    fn elements_that_are_no_objects_are_still_elements() {
        assert_eq!(
            steps("[1, \"x\" ,null]"),
            owned(&[("record", "1"), ("record", "\"x\""), ("record", "null")])
        );
    }

    #[test]
    fn what_follows_a_record_is_told_from_its_own_middle() {
        for rest in [
            "",
            " ]",
            ", {",
            ",",
            ", \"x\", 5, null ]",
            ",-1.5e3,{\"a\":1}",
            ", \"x\"",
        ] {
            assert!(is_after_record(rest.as_bytes(), 0), "{rest}");
        }
        for rest in [
            ":",
            "\"",
            ", \"x\": 1",
            ", x",
            ", \"open",
            ", [1]",
            ", 1: 2",
            ", }",
            "}",
        ] {
            assert!(!is_after_record(rest.as_bytes(), 0), "{rest}");
        }
    }

    #[test]
    fn hostile_text_makes_progress() {
        for text in ["}}}}", ":::", "]]]", "{\"Records\":[:::]}", "\"", "{", "[", "{:}", "{]"] {
            assert!(steps(text).len() <= text.len() + 1, "{text}");
        }
    }

    #[test]
    fn skipper_finds_the_end_across_windows() {
        let text = br#"{"a":"}\"","b":[{}]} ,"#;
        for cut in 0..text.len() {
            let mut skipper = Skipper::default();
            let first = skipper.skip(&text[..cut]);
            let end = first.or_else(|| skipper.skip(&text[cut..]).map(|end| end + cut));
            assert_eq!(end, Some(20), "cut at {cut}");
        }
    }

    #[test]
    fn next_record_start_skips_the_same_name_inside_strings() {
        let text = br#"{"eventVersion":"1,\"eventVersion\"" , {"eventVersion":"2"}"#;
        let start = next_record_start(text, 1, b"\"eventVersion\"").unwrap();
        assert_eq!(&text[start..start + 5], b"{\"eve");
        assert_eq!(next_record_start(text, start, b"\"eventVersion\""), None);
    }
}
