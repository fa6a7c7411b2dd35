//! Values inside a record, whichever reader found them: the fast parser's document is walked where there is one, the text
//! is scanned where there is none.

use std::borrow::Cow;

use super::scan::Scanner;
use super::scan::SyntaxError;
use super::scan::ValueKind;
use super::scan::string_content;
use super::tape::TapeCursor;

/// A JSON value: its kind, and where to find the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) kind: ValueKind,
    place: Place<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// The value's exact text.
    Text(&'a str),
    /// A parsed document, at the value.
    Tape(TapeCursor<'a>),
}

impl<'a> Value<'a> {
    /// A value by its exact text, of which only the kind is known to be right.
    pub(crate) fn in_text(kind: ValueKind, text: &'a str) -> Self {
        Self {
            kind,
            place: Place::Text(text),
        }
    }

    /// The value ahead of a cursor.
    #[inline]
    pub(crate) fn on_tape(kind: ValueKind, cursor: TapeCursor<'a>) -> Self {
        Self {
            kind,
            place: Place::Tape(cursor),
        }
    }

    /// Where the value starts in the source of the parsed document; `None` for one that is only a text.
    pub(crate) fn place(&self) -> Option<usize> {
        match self.place {
            Place::Text(_) => None,
            Place::Tape(cursor) => cursor.start(),
        }
    }

    /// Exact text of the value, a string's quotes included.
    pub(crate) fn text(&self) -> &'a str {
        match self.place {
            Place::Text(text) => text,
            Place::Tape(mut cursor) => cursor.skip().map(|range| cursor.text(range)).unwrap_or_default(),
        }
    }

    /// Content of a string; `None` for anything else.
    pub(crate) fn string(&self) -> Option<Cow<'a, str>> {
        match self.place {
            Place::Text(text) => string_content(text),
            Place::Tape(mut cursor) => cursor.string().map(Cow::Borrowed),
        }
    }

    /// Calls `visit` for every member of an object.
    pub(crate) fn members(&self, mut visit: impl FnMut(&str, Value<'a>)) -> Result<(), SyntaxError> {
        match self.place {
            Place::Text(text) => Scanner::new(text).members(|key, kind, text| visit(&key, Value::in_text(kind, text))),
            Place::Tape(mut cursor) => {
                for _ in 0..cursor.enter().unwrap_or_default() {
                    let (Some(key), Some(kind)) = (cursor.key(), cursor.kind()) else {
                        break;
                    };
                    visit(key, Value::on_tape(kind, cursor));
                    cursor.pass();
                    cursor.separator();
                }
                Ok(())
            }
        }
    }

    /// Calls `visit` for every element of an array.
    pub(crate) fn elements(&self, mut visit: impl FnMut(Value<'a>)) -> Result<(), SyntaxError> {
        match self.place {
            Place::Text(text) => Scanner::new(text).elements(|kind, text| visit(Value::in_text(kind, text))),
            Place::Tape(mut cursor) => {
                for _ in 0..cursor.enter().unwrap_or_default() {
                    let Some(kind) = cursor.kind() else { break };
                    visit(Value::on_tape(kind, cursor));
                    cursor.pass();
                    cursor.separator();
                }
                Ok(())
            }
        }
    }
}

/// Reads `"true"`/`"false"` in any case, and whether it is spelled as CloudTrail spells it.
pub(crate) fn truth(text: &str) -> Option<(bool, bool)> {
    match text {
        "true" => Some((true, true)),
        "false" => Some((false, true)),
        _ if text.eq_ignore_ascii_case("true") => Some((true, false)),
        _ if text.eq_ignore_ascii_case("false") => Some((false, false)),
        _ => None,
    }
}
