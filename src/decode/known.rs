//! Nested objects that come again and again with the same text, numbered, and parsed only the first time.

use std::collections::VecDeque;

use memchr::arch::all::packedpair::HeuristicFrequencyRank;
use memchr::memmem::Finder;
use memchr::memmem::FinderBuilder;

use super::columns::Interner;
use super::cuts::Cuts;
use super::nested::Value;

/// The distinct texts of one nested object, such as `userIdentity`.
#[derive(Debug)]
pub(crate) struct KnownObjects {
    texts: Interner,
    /// The member's name, its colon, and the object's first byte.
    opening: Finder<'static>,
    /// The object's last byte and what usually follows it.
    closing: Finder<'static>,
    /// Place and number of the objects that were emptied, in order.
    emptied: VecDeque<(usize, i32)>,
}

impl KnownObjects {
    pub(crate) fn new(opening: &'static str, closing: &'static str) -> Self {
        Self {
            texts: Interner::default(),
            opening: FinderBuilder::new().build_forward_with_ranker(FrequencyInLogs, opening),
            closing: FinderBuilder::new().build_forward_with_ranker(FrequencyInLogs, closing),
            emptied: VecDeque::new(),
        }
    }

    /// Appends a text to `work`, but leaves out what is inside the objects that are known, so that they cost the parser
    /// nothing; `base` is where the text begins in the source.
    ///
    /// The text stays as well-formed, or not, as it was: known texts are well-formed objects, and the opening ends with a
    /// quote and a colon, which only a key has behind it, wherever the text begins.
    pub(crate) fn copy(&mut self, text: &[u8], base: usize, work: &mut Vec<u8>, cuts: &mut Cuts) {
        self.emptied.clear();
        cuts.begin(base.wrapping_sub(work.len()));
        let mut copied = 0;
        let mut position = 0;
        let opening_bytes = self.opening.needle().len();
        while let Some(found) = self.find_opening(text, position) {
            let start = found + opening_bytes - 1;
            let Some(length) = self.closing.find(text.get(start..).unwrap_or_default()) else {
                break;
            };
            position = start + length;
            if let Some(code) = text.get(start..=position).and_then(|object| self.texts.code_of(object)) {
                work.extend_from_slice(text.get(copied..=start).unwrap_or_default());
                cuts.add(work.len(), length - 1);
                self.emptied.push_back((base + start, code));
                copied = position;
            }
        }
        work.extend_from_slice(text.get(copied..).unwrap_or_default());
    }

    fn find_opening(&self, text: &[u8], position: usize) -> Option<usize> {
        if self.texts.is_empty() {
            return None;
        }
        let found = self.opening.find(text.get(position..)?)?;
        Some(position + found)
    }

    /// Number of an object, and whether it is new; `text` is its exact text.
    pub(crate) fn intern(&mut self, text: &[u8], value: &Value<'_>) -> (i32, bool) {
        if let Some(place) = value.place() {
            while let Some(&(emptied, code)) = self.emptied.front() {
                if emptied > place {
                    break;
                }
                self.emptied.pop_front();
                if emptied == place {
                    return (code, false);
                }
            }
        }
        self.texts.intern(text)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes()
    }

    /// Forgets all objects, but keeps memory for as many again.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.emptied.clear();
    }
}

/// How common bytes are in logs. Unlike in prose, quotes and brackets are everywhere, and a search that first looks for them
/// stops all the time.
struct FrequencyInLogs;

impl HeuristicFrequencyRank for FrequencyInLogs {
    fn rank(&self, byte: u8) -> u8 {
        match byte {
            b'A'..=b'Z' => 0,
            b'v' | b'y' => 1,
            b'a'..=b'z' => 2,
            _ => u8::MAX,
        }
    }
}
