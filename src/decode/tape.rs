//! Walking over a parsed document with the exact source text of every value at hand.
//!
//! The parser's tape holds unescaped strings and sizes but no positions; its structural indexes hold the position of every
//! bracket, comma, colon and value start. Both are walked in step.

use std::borrow::Cow;
use std::ops::Range;

use simd_json::Node;
use simd_json::StaticNode;

use super::fields::Draft;
use super::scan::ValueKind;
use super::scan::is_whitespace;

/// Position in a parsed document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TapeCursor<'t> {
    nodes: &'t [Node<'t>],
    tokens: &'t [u32],
    source: &'t [u8],
    /// Position in `source` of the parsed text's first byte; wraps where the parsed text has a bracket more.
    base: usize,
    node: usize,
    token: usize,
}

/// A value that the cursor has passed.
#[derive(Debug, Clone)]
pub(crate) struct TapeValue<'t> {
    pub(crate) kind: ValueKind,
    /// Content of a string; exact text of anything else.
    pub(crate) content: Cow<'t, str>,
}

impl<'t> TapeCursor<'t> {
    pub(crate) fn new(nodes: &'t [Node<'t>], tokens: &'t [u32], source: &'t [u8], base: usize) -> Self {
        Self {
            nodes,
            tokens,
            source,
            base,
            node: 0,
            token: 0,
        }
    }

    /// Kind of the value ahead.
    pub(crate) fn kind(&self) -> Option<ValueKind> {
        Some(match self.nodes.get(self.node)? {
            Node::String(_) => ValueKind::String,
            Node::Object { .. } => ValueKind::Object,
            Node::Array { .. } => ValueKind::Array,
            Node::Static(StaticNode::Null) => ValueKind::Null,
            Node::Static(StaticNode::Bool(value)) => ValueKind::Boolean(*value),
            Node::Static(_) => ValueKind::Number,
        })
    }

    /// Enters the array or object ahead and returns its number of elements or members.
    pub(crate) fn enter(&mut self) -> Option<usize> {
        let (Node::Array { len, .. } | Node::Object { len, .. }) = self.nodes.get(self.node)? else {
            return None;
        };
        self.node += 1;
        self.token += 1;
        Some(*len)
    }

    /// Passes the key ahead and its colon.
    pub(crate) fn key(&mut self) -> Option<&'t str> {
        let Node::String(key) = self.nodes.get(self.node)? else {
            return None;
        };
        self.node += 1;
        self.token += 2;
        Some(key)
    }

    /// Passes the comma or closing bracket after a value.
    pub(crate) fn separator(&mut self) {
        self.token += 1;
    }

    /// Passes the value ahead.
    pub(crate) fn value(&mut self) -> Option<TapeValue<'t>> {
        let kind = self.kind()?;
        if let Node::String(content) = self.nodes.get(self.node)? {
            self.node += 1;
            self.token += 1;
            return Some(TapeValue {
                kind,
                content: Cow::Borrowed(content),
            });
        }
        let range = self.skip()?;
        Some(TapeValue {
            kind,
            content: Cow::Borrowed(self.text(range)),
        })
    }

    /// Passes the value ahead and returns where its text stands in the source.
    pub(crate) fn skip(&mut self) -> Option<Range<usize>> {
        let start = self.position(self.token)?;
        match self.nodes.get(self.node)? {
            Node::Array { count, .. } | Node::Object { count, .. } => {
                self.node += count + 1;
                let closing = self.closing_token()?;
                self.token = closing + 1;
                Some(start..self.position(closing)? + 1)
            }
            _ => {
                self.node += 1;
                self.token += 1;
                let end = self.position(self.token).unwrap_or(self.source.len());
                let text = self.source.get(start..end)?;
                let trailing = text.iter().rev().take_while(|byte| is_whitespace(**byte)).count();
                Some(start..end - trailing)
            }
        }
    }

    /// Reads the object ahead as a record: its members and where its text stands in the source.
    pub(crate) fn record(&mut self) -> Option<(Draft<'t>, Range<usize>)> {
        let start = self.position(self.token)?;
        let mut draft = Draft::new();
        let members = self.enter()?;
        for _ in 0..members {
            let key = self.key()?;
            let value = self.value()?;
            draft.add(key, value.kind, value.content);
            self.separator();
        }
        if members == 0 {
            self.separator();
        }
        Some((draft, start..self.position(self.token.checked_sub(1)?)? + 1))
    }

    /// Text of the source; the parser has checked that it is UTF-8.
    pub(crate) fn text(&self, range: Range<usize>) -> &'t str {
        // INVARIANT: a range between structural characters of valid UTF-8 is valid UTF-8.
        std::str::from_utf8(self.source.get(range).unwrap_or_default()).unwrap_or_default()
    }

    fn position(&self, token: usize) -> Option<usize> {
        let offset = usize::try_from(*self.tokens.get(token)?).ok()?;
        Some(offset.wrapping_add(self.base))
    }

    fn closing_token(&self) -> Option<usize> {
        let mut depth = 0_usize;
        let tokens = self.tokens.get(self.token..)?;
        for (offset, &token) in tokens.iter().enumerate() {
            let position = usize::try_from(token).ok()?.wrapping_add(self.base);
            match self.source.get(position)? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(self.token + offset);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
