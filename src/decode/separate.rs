//! Separating the records of a text that is too large, or too broken, to be parsed as a whole.
//!
//! The separator only follows quotes and brackets. It judges no record: each one is parsed alone afterwards.

use std::ops::Range;

use serde_json::value::RawValue;

use super::effort::looked_through;
use super::lines;
use super::scan::is_whitespace;

/// How many times a text may be looked through in vain for the ends of values before each is held to its own line at the
/// top level, and to the space before the next record elsewhere.
const PATIENCE: usize = 8;
/// The same for small texts, in bytes.
const LEAST_PATIENCE_BYTES: usize = 4 << 20;
/// Bytes that a look within bounds begins with; they double as long as neither an end nor a bound is among them.
const FIRST_LOOK_BYTES: usize = 64;

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
    /// Bytes that may still be looked through in vain.
    patience: usize,
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
    /// Starts before a text whose first window has so many bytes.
    pub(crate) fn new(window_bytes: usize) -> Self {
        Self {
            state: State::default(),
            patience: window_bytes.saturating_mul(PATIENCE).max(LEAST_PATIENCE_BYTES),
        }
    }

    /// Finds what comes next in `window` from `position` on; records begin with the member `first_key`.
    pub(crate) fn next(&mut self, window: &[u8], position: &mut usize, first_key: &[u8]) -> Step {
        loop {
            skip_separators(window, position);
            let Some(&byte) = window.get(*position) else {
                return Step::Exhausted;
            };
            match (self.state, byte) {
                (State::RestOfObject, _) => match self.rest_of_object(window, *position, first_key) {
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
                (State::TopLevel, b'{') => match self.document(window, *position) {
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
                    return match self.element_end(window, *position, first_key) {
                        Some(end) => Step::Record(take(position, end)),
                        None => Step::Incomplete(*position),
                    };
                }
            }
            *position += 1;
        }
    }

    fn is_record_array(&mut self, window: &[u8], start: usize, first_key: &[u8]) -> bool {
        if self.patience == 0 || lines::is_well_formed(window, start) {
            return true;
        }
        self.was_broken(window.len() - start);
        lines::opens_records(window, start, first_key)
    }

    /// Looks for a record array in an object at the top level.
    fn document(&self, window: &[u8], start: usize) -> ObjectHead {
        let look = |part: &[u8]| record_array_in(part, start + 1);
        if self.patience > 0 {
            return look(window);
        }
        let document_end = |part: &[u8]| lines::document_end(part, start);
        let head = within(window, start, document_end, |part| look(part).if_complete());
        head.unwrap_or(ObjectHead::Incomplete)
    }

    /// Looks for a record array among the members behind one.
    fn rest_of_object(&self, window: &[u8], position: usize, first_key: &[u8]) -> ObjectHead {
        let look = |part: &[u8]| record_array_in(part, position);
        if self.patience > 0 {
            return look(window);
        }
        let next_record = |part: &[u8]| next_record_start(part, position + 1, first_key);
        let head = within(window, position, next_record, |part| look(part).if_complete());
        head.unwrap_or(ObjectHead::Incomplete)
    }

    fn element_end(&self, window: &[u8], start: usize, first_key: &[u8]) -> Option<usize> {
        if self.patience > 0 {
            return value_end(window, start);
        }
        let next_record = |part: &[u8]| next_record_start(part, start + 1, first_key);
        within(window, start, next_record, |part| value_end(part, start))
    }

    /// Notes how much was looked through for a value that turned out to be broken.
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

/// Looks at what starts at `start` up to a bound, in ever larger parts of the window: what is looked through for a value is
/// in proportion to its length, or to the distance of the bound.
fn within<T>(
    window: &[u8],
    start: usize,
    bound: impl Fn(&[u8]) -> Option<usize>,
    look: impl Fn(&[u8]) -> Option<T>,
) -> Option<T> {
    let mut length = FIRST_LOOK_BYTES;
    loop {
        let part = window.get(..start.saturating_add(length)).unwrap_or(window);
        let bound = bound(part);
        let reachable = bound.and_then(|bound| part.get(..bound)).unwrap_or(part);
        let found = look(reachable);
        if found.is_some() || bound.is_some() || part.len() == window.len() {
            return found;
        }
        length = length.saturating_mul(2);
    }
}

/// Position behind the value that starts at `start`, by quotes and brackets alone; `None` when it goes on.
pub(crate) fn value_end(window: &[u8], start: usize) -> Option<usize> {
    let end = follow_value(window, start);
    looked_through(end.unwrap_or(window.len()).saturating_sub(start));
    end
}

fn follow_value(window: &[u8], start: usize) -> Option<usize> {
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

impl ObjectHead {
    fn if_complete(self) -> Option<Self> {
        match self {
            Self::Incomplete => None,
            complete => Some(complete),
        }
    }
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
        let rest = window.get(search..)?;
        let offset = memchr::memmem::find(rest, first_key);
        looked_through(offset.unwrap_or(rest.len()));
        let found = search + offset?;
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
        let mut separator = Separator::new(text.len());
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
    fn next_record_start_skips_the_same_name_inside_strings() {
        let text = br#"{"eventVersion":"1,\"eventVersion\"" , {"eventVersion":"2"}"#;
        let start = next_record_start(text, 1, b"\"eventVersion\"").unwrap();
        assert_eq!(&text[start..start + 5], b"{\"eve");
        assert_eq!(next_record_start(text, start, b"\"eventVersion\""), None);
    }
}
