//! Hours that valid digests cover.

/// Spans of time, microseconds since 1970-01-01T00:00:00Z, each from its start to before its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Coverage {
    /// In order, apart from each other.
    spans: Vec<(i64, i64)>,
}

impl Coverage {
    pub(super) fn new(mut spans: Vec<(i64, i64)>) -> Self {
        spans.retain(|(start, end)| start < end);
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (start, end) in spans {
            match joined.last_mut() {
                Some((_, last)) if start <= *last => *last = end.max(*last),
                _ => joined.push((start, end)),
            }
        }
        Self { spans: joined }
    }

    /// First and last moment.
    pub(super) fn extent(&self) -> Option<(i64, i64)> {
        let (first, _) = self.spans.first()?;
        let (_, last) = self.spans.last()?;
        Some((*first, *last))
    }

    pub(super) fn covers(&self, moment: i64) -> bool {
        let after = self.spans.partition_point(|(start, _)| *start <= moment);
        let span = after.checked_sub(1).and_then(|index| self.spans.get(index));
        span.is_some_and(|(_, end)| moment < *end)
    }

    /// What lies between the spans, and between them and the bounds where there are some.
    pub(super) fn gaps(&self, from: Option<i64>, to: Option<i64>) -> Vec<(i64, i64)> {
        let Some((first, last)) = self.extent() else {
            return from.zip(to).into_iter().collect();
        };
        let mut gaps = Vec::new();
        gaps.extend(from.filter(|from| *from < first).map(|from| (from, first)));
        for pair in self.spans.windows(2) {
            if let [(_, end), (start, _)] = pair {
                gaps.push((*end, *start));
            }
        }
        gaps.extend(to.filter(|to| last < *to).map(|to| (last, to)));
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_joined_and_what_lies_between_and_around_is_a_gap() {
        let coverage = Coverage::new(vec![(5, 6), (1, 2), (2, 3), (4, 4)]);
        assert_eq!(coverage.gaps(None, None), [(3, 5)]);
        assert_eq!(coverage.gaps(Some(0), Some(9)), [(0, 1), (3, 5), (6, 9)]);
        let covered: Vec<i64> = (0..8).filter(|moment| coverage.covers(*moment)).collect();
        assert_eq!(covered, [1, 2, 5]);
        assert_eq!(Coverage::default().gaps(Some(1), Some(2)), [(1, 2)]);
    }
}
