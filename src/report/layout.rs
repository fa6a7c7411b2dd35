//! Widths: how wide text is on a terminal, how columns share a line, and where text is cut.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Spaces between two columns.
pub(super) const GAP: usize = 2;

/// A column is not made narrower than this: less would show nothing worth reading.
const MIN_COLUMN: usize = 8;

/// Cells of a terminal that the text takes, once its hidden characters are escaped.
pub(super) fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The widths at which columns of these natural widths share a line, or `None` when they cannot.
///
/// The widest columns give way first, and equally.
pub(super) fn share_line(natural: &[usize], line: usize) -> Option<Vec<usize>> {
    let gaps = natural.len().saturating_sub(1) * GAP;
    let room = line.checked_sub(gaps)?;
    if natural.iter().sum::<usize>() <= room {
        return Some(natural.to_vec());
    }
    let capped = |cap: usize| natural.iter().map(move |width| (*width).min(cap));
    let mut cap = natural.iter().copied().max().unwrap_or(0);
    while cap >= MIN_COLUMN && capped(cap).sum::<usize>() > room {
        cap -= 1;
    }
    if cap < MIN_COLUMN {
        return None;
    }
    let mut left = room - capped(cap).sum::<usize>();
    let widths = natural.iter().map(|width| {
        let is_widened = *width > cap && left > 0;
        left -= usize::from(is_widened);
        (*width).min(cap) + usize::from(is_widened)
    });
    Some(widths.collect())
}

/// The text, cut with an ellipsis when it is wider than `width`.
pub(super) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if display_width(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut left = width.saturating_sub(1);
    let mut kept = String::with_capacity(width);
    for character in text.chars() {
        let Some(rest) = left.checked_sub(char_width(character)) else {
            break;
        };
        left = rest;
        kept.push(character);
    }
    kept.push('…');
    Cow::Owned(kept)
}

fn char_width(character: char) -> usize {
    character.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn columns_that_fit_keep_their_widths() {
        assert_eq!(share_line(&[10, 20], 32), Some(vec![10, 20]));
    }

    #[test]
    fn widest_columns_give_way_first() {
        assert_eq!(share_line(&[10, 100, 50], 64), Some(vec![10, 25, 25]));
    }

    #[test]
    fn odd_cell_goes_to_the_first_cut_column() {
        assert_eq!(share_line(&[10, 100, 50], 65), Some(vec![10, 26, 25]));
    }

    #[test]
    fn too_many_columns_do_not_share_a_line() {
        assert_eq!(share_line(&[20; 10], 80), None);
        assert_eq!(share_line(&[20; 50], 80), None);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(display_width("日本"), 4);
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
    }

    proptest! {
        #[test]
        fn shared_widths_fill_the_line_at_most(natural in proptest::collection::vec(0_usize..200, 1..12), line in 0_usize..300) {
            if let Some(widths) = share_line(&natural, line) {
                prop_assert!(widths.iter().sum::<usize>() + (widths.len() - 1) * GAP <= line);
                prop_assert!(widths.iter().zip(&natural).all(|(width, natural)| width <= natural));
            }
        }

        #[test]
        fn cut_text_is_never_wider(text in any::<String>(), width in 1_usize..40) {
            prop_assert!(display_width(&cut(&text, width)) <= width);
        }
    }
}
