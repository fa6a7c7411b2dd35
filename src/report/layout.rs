//! Widths: how wide text is on a terminal, how columns share a line, and where text is cut.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Spaces between two columns.
pub(super) const GAP: usize = 2;

/// A column is not made narrower than this: less would show nothing worth reading.
const MIN_COLUMN: usize = 10;

/// Cells of a terminal that the text takes, once its hidden characters are escaped.
pub(super) fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The widths at which columns of these natural widths share a line, or `None` when they cannot.
///
/// The widest columns give way first, and equally. Those of `whole` give way only when the others cannot make enough room.
pub(super) fn share_line(natural: &[usize], whole: &[bool], line: usize) -> Option<Vec<usize>> {
    let gaps = natural.len().saturating_sub(1) * GAP;
    let room = line.checked_sub(gaps)?;
    let columns = || natural.iter().copied().zip(whole.iter().copied());
    let taken: usize = columns()
        .filter(|(_, is_whole)| *is_whole)
        .map(|(width, _)| width)
        .sum();
    let others: Vec<usize> = columns()
        .filter(|(_, is_whole)| !is_whole)
        .map(|(width, _)| width)
        .collect();
    let Some(shared) = room.checked_sub(taken).and_then(|room| share(&others, room)) else {
        return share(natural, room);
    };
    let mut shared = shared.into_iter();
    let widths = columns().filter_map(|(width, is_whole)| if is_whole { Some(width) } else { shared.next() });
    Some(widths.collect())
}

fn share(natural: &[usize], room: usize) -> Option<Vec<usize>> {
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

/// The text with its lines broken at spaces so that none is wider than `width`; what goes on is indented by two.
///
/// What stands between backticks is not broken, so that a command can be copied.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        wrap_line(line, width, &mut out);
    }
    out
}

fn wrap_line(line: &str, width: usize, out: &mut String) {
    let mut is_quoted = false;
    let words = line.split(|character| {
        is_quoted ^= character == '`';
        character == ' ' && !is_quoted
    });
    let mut taken = 0;
    for (number, word) in words.enumerate() {
        let word_width = display_width(word);
        if number == 0 {
            taken = word_width;
        } else if taken + 1 + word_width > width && taken > GAP {
            out.push('\n');
            out.push_str(&" ".repeat(GAP));
            taken = GAP + word_width;
        } else {
            out.push(' ');
            taken += 1 + word_width;
        }
        out.push_str(word);
    }
}

/// Account and name of a user or role, which tell it from all others: `111122223333/payments-task`. Users have their kind before
/// the name, as a role may bear it, too. What is no such ARN stays as it is.
pub fn short_name(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", _, account, resource] => {
            let name = resource.rsplit('/').next().unwrap_or(resource);
            let kind = if resource.starts_with("user/") { "user/" } else { "" };
            format!("{account}/{kind}{name}")
        }
        _ => arn.to_owned(),
    }
}

/// The text, cut with an ellipsis when it is wider than `width`. Of an ARN the end is kept: that is where the name stands.
pub(super) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if display_width(text) <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(1);
    if text.starts_with("arn:") {
        let end: Vec<char> = fitting(text.chars().rev(), room).collect();
        Cow::Owned(std::iter::once('…').chain(end.into_iter().rev()).collect())
    } else {
        Cow::Owned(fitting(text.chars(), room).chain(std::iter::once('…')).collect())
    }
}

/// The first characters that take no more than `room`.
pub(super) fn fitting(characters: impl Iterator<Item = char>, room: usize) -> impl Iterator<Item = char> {
    characters.scan(room, |left, character| {
        *left = left.checked_sub(char_width(character))?;
        Some(character)
    })
}

fn char_width(character: char) -> usize {
    character.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn lines_break_between_words_and_commands_stay_whole() {
        let text = "note: one two three; `trimtrail sql \"select 1\"` lists all\n  second";
        assert_eq!(
            wrapped(text, 20),
            "note: one two three;\n  `trimtrail sql \"select 1\"`\n  lists all\n  second"
        );
        assert_eq!(wrapped("longer-than-the-line", 5), "longer-than-the-line");
        assert_eq!(wrapped("", 5), "");
    }

    #[test]
    fn columns_that_fit_keep_their_widths() {
        assert_eq!(share_line(&[10, 20], &[false; 50], 32), Some(vec![10, 20]));
    }

    #[test]
    fn widest_columns_give_way_first() {
        assert_eq!(share_line(&[10, 100, 50], &[false; 50], 64), Some(vec![10, 25, 25]));
    }

    #[test]
    fn odd_cell_goes_to_the_first_cut_column() {
        assert_eq!(share_line(&[10, 100, 50], &[false; 50], 65), Some(vec![10, 26, 25]));
    }

    #[test]
    fn whole_columns_give_way_last() {
        let whole = [true, false, false];
        assert_eq!(share_line(&[20, 100, 50], &whole, 64), Some(vec![20, 20, 20]));
        assert_eq!(share_line(&[30, 100, 50], &whole, 64), Some(vec![30, 15, 15]));
        assert_eq!(share_line(&[50, 100, 50], &whole, 64), Some(vec![20, 20, 20]));
    }

    #[test]
    fn too_many_columns_do_not_share_a_line() {
        assert_eq!(share_line(&[20; 10], &[false; 50], 80), None);
        assert_eq!(share_line(&[20; 50], &[false; 50], 80), None);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(display_width("日本"), 4);
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn short_name_is_account_and_name() {
        for (arn, name) in [
            (
                "arn:aws:iam::111122223333:role/ecs/payments-task",
                "111122223333/payments-task",
            ),
            (
                "arn:aws:iam::111122223333:user/payments-task",
                "111122223333/user/payments-task",
            ),
            ("arn:aws:iam::111122223333:root", "111122223333/root"),
            ("ec2.amazonaws.com", "ec2.amazonaws.com"),
        ] {
            assert_eq!(short_name(arn), name);
        }
    }

    #[test]
    fn arn_is_cut_at_its_start() {
        assert_eq!(cut("arn:aws:iam::111122223333:user/svc-jenkins", 12), "…svc-jenkins");
        assert_eq!(cut("arn:aws:iam::1:role/日本語", 5), "…本語");
    }

    proptest! {
        #[test]
        fn shared_widths_fill_the_line_at_most(natural in proptest::collection::vec(0_usize..200, 1..12), whole: [bool; 12], line in 0_usize..300) {
            if let Some(widths) = share_line(&natural, &whole, line) {
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
