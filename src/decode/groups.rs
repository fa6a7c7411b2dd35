//! Finding groups of records in a log file as CloudTrail writes it, so that each can be parsed while it is in the
//! processor's cache.

use std::ops::Range;

use memchr::memmem::Finder;

use super::separate::value_end;

/// Bytes of a group, roughly: its source, its copy, and what the parser makes of it fit into a second-level cache.
pub(crate) const GROUP_BYTES: usize = 64 << 10;

/// Most bytes that are parsed at once; what the parser makes of them takes up to twenty times as much.
pub(crate) const LARGEST_PARSE_BYTES: usize = 1 << 20;

const HEAD: &[u8] = b"{\"Records\":[";
const TAIL: &[u8] = b"]}";

/// Groups of whole records of one object.
///
/// A group ends where a closing brace, a comma and the first member's name of a record meet. That place may lie inside a
/// record after all; then the group is no well-formed list, and the parser refuses it. A group that is well-formed ends
/// between two records, because it starts at one.
#[derive(Debug)]
pub(crate) struct RecordGroups<'s> {
    source: &'s [u8],
    boundary: Vec<u8>,
    position: usize,
    end: usize,
}

impl<'s> RecordGroups<'s> {
    /// Looks at an object's text; `None` when it is not written as trails write it.
    pub(crate) fn new(source: &'s [u8]) -> Option<Self> {
        let body = source.trim_ascii_end().strip_suffix(TAIL)?;
        let records = body.strip_prefix(HEAD)?;
        let key = records.strip_prefix(b"{")?;
        let key = key.get(..value_end(key, 0)?)?;
        Some(Self {
            source,
            boundary: [b"},{", key].concat(),
            position: HEAD.len(),
            end: body.len(),
        })
    }
}

impl Iterator for RecordGroups<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.position;
        if start >= self.end {
            return None;
        }
        let search = start.saturating_add(GROUP_BYTES).min(self.end);
        let rest = self.source.get(search..self.end)?;
        let end = match Finder::new(&self.boundary).find(rest) {
            Some(offset) => search + offset + 1,
            None => self.end,
        };
        self.position = end + 1;
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(records: usize) -> String {
        let records: Vec<String> = (0..records)
            .map(|number| format!(r#"{{"eventVersion":"1.11","eventID":"{number:01000}"}}"#))
            .collect();
        format!("{{\"Records\":[{}]}}\n", records.join(","))
    }

    #[test]
    fn groups_cover_the_records_and_leave_out_the_commas_between() {
        let text = object(200);
        let groups: Vec<Range<usize>> = RecordGroups::new(text.as_bytes()).unwrap().collect();
        assert!(groups.len() > 2, "{groups:?}");
        let joined: Vec<&str> = groups.iter().map(|group| text.get(group.clone()).unwrap()).collect();
        assert_eq!(format!("{{\"Records\":[{}]}}\n", joined.join(",")), text);
        assert!(
            joined
                .iter()
                .all(|group| group.starts_with('{') && group.ends_with('}'))
        );
    }

    #[test]
    fn other_layouts_have_no_groups() {
        for text in [
            "",
            "{}",
            "{\"Records\":[]}",
            "{\"Records\": [{\"a\":1}]}",
            "[{\"a\":1}]",
            "{\"Records\":[{\"a\":1}],\"b\":2}",
        ] {
            assert!(RecordGroups::new(text.as_bytes()).is_none(), "{text}");
        }
    }
}
