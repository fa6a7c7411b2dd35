//! Which columns of a table matter, for where not all of them fit the terminal.

use super::layout::GAP;
use super::layout::display_width;
use super::layout::fitting;

/// What becomes of the columns of a table that is wider than the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// Columns from the most important on: those that are not among them are left out first, then these from the last on.
    pub order: &'static [&'static str],
    /// Columns whose cells go on in further lines in place of being cut, each with its least width.
    pub wrapped: &'static [(&'static str, usize)],
    /// Column whose value stands in a line of its own above the rows that have it.
    pub heading: Option<&'static str>,
}

/// Columns that share a line, by position, and their widths.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) columns: Vec<usize>,
    pub(super) widths: Vec<usize>,
}

impl Arrangement {
    /// Position of the heading, if the table has it and something else.
    pub(super) fn heading_position(&self, headers: &[String]) -> Option<usize> {
        let heading = self.heading.filter(|_| headers.len() > 1)?;
        headers.iter().position(|header| header == heading)
    }

    pub(super) fn is_wrapped(&self, header: &str) -> bool {
        self.least_width(header).is_some()
    }

    /// The most important columns of which none need be cut; `None` if not even the first fits, or nothing is arranged.
    pub(super) fn fit(&self, headers: &[String], natural: &[usize], line: usize) -> Option<Fitted> {
        let heading = self.heading_position(headers);
        let mut columns: Vec<usize> = (0..headers.len()).filter(|column| Some(*column) != heading).collect();
        if self.order.is_empty() {
            return None;
        }
        loop {
            if let Some(widths) = self.widths(headers, natural, &columns, line) {
                return Some(Fitted { columns, widths });
            }
            let header = |position: usize| columns.get(position).and_then(|column| headers.get(*column));
            let least = (0..columns.len()).max_by_key(|position| header(*position).map(|header| self.rank(header)))?;
            columns.remove(least);
            if columns.is_empty() {
                return None;
            }
        }
    }

    fn rank(&self, header: &str) -> usize {
        let position = self.order.iter().position(|known| *known == header);
        position.unwrap_or(self.order.len())
    }

    fn least_width(&self, header: &str) -> Option<usize> {
        let mut wrapped = self.wrapped.iter();
        wrapped.find(|(name, _)| *name == header).map(|(_, least)| *least)
    }

    fn widths(&self, headers: &[String], natural: &[usize], columns: &[usize], line: usize) -> Option<Vec<usize>> {
        let natural: Vec<usize> = columns
            .iter()
            .map(|column| natural.get(*column).copied().unwrap_or_default())
            .collect();
        let least = columns.iter().zip(&natural).map(|(column, natural)| {
            let header = headers.get(*column)?;
            let least = self.least_width(header)?.max(display_width(header));
            Some(least.min(*natural))
        });
        let mut widths: Vec<usize> = least
            .zip(&natural)
            .map(|(least, natural)| least.unwrap_or(*natural))
            .collect();
        let taken = widths.iter().sum::<usize>() + columns.len().saturating_sub(1) * GAP;
        for _ in 0..line.checked_sub(taken)? {
            let narrowest = widths
                .iter_mut()
                .zip(&natural)
                .filter(|(width, natural)| **width < **natural)
                .map(|(width, _)| width)
                .min();
            match narrowest {
                Some(width) => *width += 1,
                None => break,
            }
        }
        Some(widths)
    }
}

/// The text in lines that are no wider than `width`, broken behind marks where there are any, and indented from the second on;
/// nothing of it is lost but spaces at the ends of lines.
pub(super) fn broken(text: &str, width: usize) -> Vec<String> {
    // A column of few letters has none to spare.
    let indent = if width > 5 * GAP { GAP } else { 0 };
    let (mut lines, mut rest, mut taken) = (Vec::new(), text, 0);
    while display_width(rest) > width - taken {
        let end = line_end(rest, width - taken);
        let (line, further) = rest.split_at_checked(end).unwrap_or((rest, ""));
        lines.push(format!("{}{}", " ".repeat(taken), line.trim_end_matches(' ')));
        rest = further.trim_start_matches(' ');
        taken = indent;
    }
    lines.push(format!("{}{rest}", " ".repeat(taken)));
    lines
}

/// Where a text that does not fit is broken, in bytes.
fn line_end(text: &str, width: usize) -> usize {
    let room: usize = fitting(text.chars(), width).map(char::len_utf8).sum();
    // One character is shown even where there is no room for it.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let (line, further) = text.split_at_checked(room.max(first)).unwrap_or((text, ""));
    if further.starts_with(' ') {
        return line.len();
    }
    match line.rfind(' ') {
        Some(space) if space > 0 => space + 1,
        _ => line
            .rfind(['/', '_', '-', ':', ',', '.'])
            .map_or(line.len(), |mark| mark + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    const ARRANGEMENT: Arrangement = Arrangement {
        order: &["name", "count", "why"],
        wrapped: &[("name", 20), ("why", 12)],
        heading: Some("owner"),
    };

    fn headers() -> Vec<String> {
        ["owner", "name", "count", "why", "more"].map(str::to_owned).to_vec()
    }

    fn fit(line: usize) -> (Vec<usize>, Vec<usize>) {
        let fitted = ARRANGEMENT.fit(&headers(), &[60, 40, 9, 30, 5], line).unwrap();
        (fitted.columns, fitted.widths)
    }

    #[test]
    fn columns_that_matter_least_are_left_out_and_text_is_wrapped_before() {
        assert_eq!(fit(200), (vec![1, 2, 3, 4], vec![40, 9, 30, 5]));
        assert_eq!(fit(60), (vec![1, 2, 3, 4], vec![20, 9, 20, 5]));
        assert_eq!(fit(52), (vec![1, 2, 3, 4], vec![20, 9, 12, 5]));
        assert_eq!(fit(51), (vec![1, 2, 3], vec![20, 9, 18]));
        assert_eq!(fit(40), (vec![1, 2], vec![29, 9]));
        assert_eq!(fit(20), (vec![1], vec![20]));
        assert_eq!(ARRANGEMENT.fit(&headers(), &[60, 40, 9, 30, 5], 19), None);
    }

    #[test]
    fn text_is_broken_behind_marks_and_else_where_the_line_ends() {
        assert_eq!(
            broken("111122223333/AWSReservedSSO_ReadOnly_0123456789abcdef", 30),
            ["111122223333/AWSReservedSSO_", "  ReadOnly_0123456789abcdef"]
        );
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(broken("", 3), [""]);
    }

    proptest! {
        #[test]
        fn broken_text_fits_and_loses_only_spaces(text in "[a-z/_ 日]{0,60}", width in 2_usize..20) {
            let lines = broken(&text, width);
            prop_assert!(lines.iter().all(|line| display_width(line) <= width), "{lines:?}");
            let without = |text: &str| text.replace(' ', "");
            prop_assert_eq!(without(&lines.concat()), without(&text));
        }
    }
}
