//! Whether resources of a statement lie inside of what a selector names.

use crate::iam::resource_matches;

/// The resources that one pattern of a statement matches; all, if the statement does not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covered<'p> {
    pattern: Option<&'p str>,
}

impl<'p> Covered<'p> {
    pub(super) fn of(pattern: Option<&'p str>) -> Self {
        Self { pattern }
    }

    /// Every one begins like this.
    pub(super) fn starts_with(self, start: &str) -> bool {
        self.pattern
            .is_some_and(|pattern| literal_start(pattern).starts_with(start))
    }

    /// Every one ends like this.
    pub(super) fn ends_with(self, end: &str) -> bool {
        self.pattern.is_some_and(|pattern| literal_end(pattern).ends_with(end))
    }

    /// There is one, and it is this.
    pub(super) fn equals(self, value: &str) -> bool {
        self.pattern == Some(value) && literal_start(value) == value
    }

    /// None begins like this.
    pub(super) fn never_starts_with(self, start: &str) -> bool {
        self.pattern.is_some_and(|pattern| {
            let literal = literal_start(pattern);
            !literal.starts_with(start) && !start.starts_with(literal)
        })
    }

    /// None is this.
    pub(super) fn never_equals(self, value: &str) -> bool {
        // A variable may stand for anything.
        self.pattern
            .is_some_and(|pattern| !pattern.contains("${") && !resource_matches(pattern, value))
    }
}

/// The text before the first wildcard or variable.
fn literal_start(pattern: &str) -> &str {
    pattern.split(['*', '?', '$']).next().unwrap_or_default()
}

/// The text behind the last wildcard or variable.
fn literal_end(pattern: &str) -> &str {
    pattern.rsplit(['*', '?', '}']).next().unwrap_or_default()
}
