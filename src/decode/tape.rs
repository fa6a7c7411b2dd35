//! Walking over a parsed document with the exact source text of every value at hand.
//!
//! The parser's tape holds unescaped strings and sizes but no positions; its structural indexes hold the position of every
//! bracket, comma, colon and value start. Both are walked in step.

use std::borrow::Cow;
use std::ops::Range;

use simd_json::Node;
use simd_json::StaticNode;

use super::cuts::Cuts;
use super::fields::Content;
use super::fields::Draft;
use super::nested::Value;
use super::scan::ValueKind;
use super::scan::is_whitespace;

/// A parsed document and its source.
#[derive(Debug)]
pub(crate) struct TapeDocument<'t> {
    /// What the parser made of the text.
    pub(crate) nodes: &'t [Node<'t>],
    /// Positions of structural characters and value starts in the parsed text.
    pub(crate) tokens: &'t [u32],
    /// The text that a piece was parsed of.
    pub(crate) source: &'t [u8],
    /// What the parsed text has less than the source.
    pub(crate) cuts: &'t Cuts,
}

/// Position in a parsed document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TapeCursor<'t> {
    document: &'t TapeDocument<'t>,
    node: usize,
    token: usize,
    /// Number of a cut before the position.
    cut: usize,
}

impl<'t> TapeCursor<'t> {
    /// A cursor at the document's root.
    pub(crate) fn new(document: &'t TapeDocument<'t>) -> Self {
        Self {
            document,
            node: 0,
            token: 0,
            cut: 0,
        }
    }

    /// Kind of the value ahead.
    #[inline]
    pub(crate) fn kind(&self) -> Option<ValueKind> {
        Some(match self.document.nodes.get(self.node)? {
            Node::String(_) => ValueKind::String,
            Node::Object { .. } => ValueKind::Object,
            Node::Array { .. } => ValueKind::Array,
            Node::Static(StaticNode::Null) => ValueKind::Null,
            Node::Static(StaticNode::Bool(value)) => ValueKind::Boolean(*value),
            Node::Static(_) => ValueKind::Number,
        })
    }

    /// Where the value ahead starts in the source.
    pub(crate) fn start(&self) -> Option<usize> {
        self.position(self.token)
    }

    /// Enters the array or object ahead and returns its number of elements or members.
    #[inline]
    pub(crate) fn enter(&mut self) -> Option<usize> {
        let (Node::Array { len, .. } | Node::Object { len, .. }) = self.document.nodes.get(self.node)? else {
            return None;
        };
        self.node += 1;
        self.token += 1;
        Some(*len)
    }

    /// Passes the key ahead and its colon.
    #[inline]
    pub(crate) fn key(&mut self) -> Option<&'t str> {
        let Node::String(key) = self.document.nodes.get(self.node)? else {
            return None;
        };
        self.node += 1;
        self.token += 2;
        Some(key)
    }

    /// Passes the comma or closing bracket after a value.
    #[inline]
    pub(crate) fn separator(&mut self) {
        self.token += 1;
    }

    /// Content of the string ahead, which is passed; `None`, without passing, for any other value.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<&'t str> {
        let Node::String(content) = self.document.nodes.get(self.node)? else {
            return None;
        };
        self.node += 1;
        self.token += 1;
        Some(content)
    }

    /// Passes the value ahead.
    #[inline(always)]
    pub(crate) fn pass(&mut self) {
        let count = match self.document.nodes.get(self.node) {
            Some(Node::Array { count, .. } | Node::Object { count, .. }) => count + 1,
            _ => 1,
        };
        let end = self.node + count;
        let nodes = self.document.nodes.get(self.node..end).unwrap_or_default();
        self.token += nodes.iter().map(token_count).sum::<usize>();
        self.node = end;
    }

    /// Passes the value ahead and returns where its text stands in the source.
    #[inline(always)]
    pub(crate) fn skip(&mut self) -> Option<Range<usize>> {
        let start = self.position(self.token)?;
        let is_container = matches!(
            self.document.nodes.get(self.node)?,
            Node::Array { .. } | Node::Object { .. }
        );
        self.pass();
        if is_container {
            return Some(start..self.position(self.token - 1)? + 1);
        }
        let end = self.position(self.token).unwrap_or(self.document.source.len());
        let text = self.document.source.get(start..end)?;
        let trailing = text.iter().rev().take_while(|byte| is_whitespace(**byte)).count();
        Some(start..end - trailing)
    }

    /// Reads the members of the object ahead into `draft`; returns where its text stands in the source.
    pub(crate) fn record(&mut self, draft: &mut Draft<'t>) -> Option<Range<usize>> {
        self.cut = self.document.cuts.number(self.cut, self.offset(self.token)?);
        let start = self.position(self.token)?;
        draft.clear();
        // A copy stays in registers; through `self` every step would wait for the last one's store.
        let mut cursor = *self;
        let members = cursor.enter()?;
        for _ in 0..members {
            let key = cursor.key()?;
            let kind = cursor.kind()?;
            let start = cursor;
            let value = || Value::on_tape(kind, start);
            // Each with its own call, so that the content goes to its slot without a stop in memory.
            match cursor.string() {
                Some(content) => draft.add(key, kind, Content::Text(Cow::Borrowed(content)), value),
                None => {
                    let range = cursor.skip()?;
                    let raw = cursor.document.source.get(range)?;
                    draft.add(key, kind, Content::Raw(raw), value);
                }
            }
            cursor.separator();
        }
        if members == 0 {
            cursor.separator();
        }
        *self = cursor;
        Some(start..self.position(self.token.checked_sub(1)?)? + 1)
    }

    /// Text of the source; the parser has checked that it is UTF-8.
    #[inline]
    pub(crate) fn text(&self, range: Range<usize>) -> &'t str {
        // INVARIANT: a range between structural characters of valid UTF-8 is valid UTF-8.
        std::str::from_utf8(self.document.source.get(range).unwrap_or_default()).unwrap_or_default()
    }

    #[inline]
    fn position(&self, token: usize) -> Option<usize> {
        Some(self.document.cuts.place(self.cut, self.offset(token)?))
    }

    /// Position in the parsed text.
    #[inline]
    fn offset(&self, token: usize) -> Option<usize> {
        usize::try_from(*self.document.tokens.get(token)?).ok()
    }
}

/// Structural characters and value starts that a node alone accounts for: a container has its brackets, the commas between
/// its members and their colons; everything else is one token.
fn token_count(node: &Node<'_>) -> usize {
    match node {
        Node::Array { len, .. } => 2 + len.saturating_sub(1),
        Node::Object { len, .. } => 2 + len.saturating_sub(1) + len,
        Node::String(_) | Node::Static(_) => 1,
    }
}
