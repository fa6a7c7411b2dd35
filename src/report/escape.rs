//! Visible escapes for characters that a terminal, an editor or a person would not show as they are.
//!
//! Names, user agents and keys in CloudTrail are chosen by attackers. A control character can rewrite a terminal, a
//! bidirectional override can make one name look like another, and an invisible character can hide the difference
//! between two. All of them are shown as `\u{1b}`.

use std::borrow::Cow;
use std::fmt::Write;

/// Ranges of code points that are shown as escapes, sorted, both ends inclusive: Unicode categories Cc, Cf, Zl and Zp,
/// and the letters that render as nothing.
const HIDDEN: &[(char, char)] = &[
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// True when a character must not reach a person as it is.
pub fn is_hidden(character: char) -> bool {
    // Most text is printable ASCII.
    if (' '..='~').contains(&character) {
        return false;
    }
    let position = HIDDEN.partition_point(|(_, last)| *last < character);
    HIDDEN.get(position).is_some_and(|(first, _)| *first <= character)
}

/// The text on one line: every hidden character, line feeds and tabs included, as `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// The same as a text of its own.
pub(super) fn shown(text: &str) -> String {
    visible(text).into_owned()
}

/// The text with its line feeds kept and every other hidden character as `\u{…}`.
///
/// For messages that are laid out over several lines. Text from a log belongs into [`visible`].
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character != '\n' && is_hidden(character))
}

/// JSON text with the same value, in which hidden characters are `\u001b` escapes.
///
/// Outside of strings JSON is ASCII, so every hidden character that serialisation left as it is stands in a string.
pub fn json(text: &str) -> Cow<'_, str> {
    let is_raw = |character| character > '\u{7e}' && is_hidden(character);
    if !text.contains(is_raw) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut units = [0_u16; 2];
    for character in text.chars() {
        if is_raw(character) {
            for unit in character.encode_utf16(&mut units) {
                push(&mut safe, format_args!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_escaped(character) {
            push(&mut safe, format_args!("{}", character.escape_unicode()));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(arguments);
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn escape_sequence_of_a_terminal_is_shown() {
        assert_eq!(visible("a\u{1b}[31mb"), "a\\u{1b}[31mb");
    }

    #[test]
    fn line_feed_and_tab_are_shown_on_one_line() {
        assert_eq!(visible("a\nb\tc\r"), "a\\u{a}b\\u{9}c\\u{d}");
    }

    #[test]
    fn line_feed_is_kept_in_laid_out_text() {
        assert_eq!(visible_lines("a\n\u{85}b"), "a\n\\u{85}b");
    }

    #[test]
    fn bidirectional_override_and_zero_width_characters_are_shown() {
        assert_eq!(
            visible("\u{202e}x\u{2066}\u{200b}\u{feff}"),
            "\\u{202e}x\\u{2066}\\u{200b}\\u{feff}"
        );
    }

    #[test]
    fn ordinary_text_of_any_script_is_borrowed() {
        for text in [
            "arn:aws:iam::111122223333:role/build",
            "naïve",
            "日本語",
            "Ελλάδα",
            "😀",
            "a b",
        ] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn ranges_are_sorted_and_apart() {
        for pair in HIDDEN.windows(2) {
            assert!(pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0, "{pair:?}");
        }
    }

    #[test]
    fn json_escapes_keep_the_value() {
        let value = "a\u{7f}\u{9b}31m\u{202e}\u{e0041}é";
        let text = serde_json::to_string(value).unwrap();
        let safe = json(&text);
        assert_eq!(safe, "\"a\\u007f\\u009b31m\\u202e\\udb40\\udc41é\"");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), value);
    }

    /// What no person may be sent, written down apart from the table under test.
    fn is_dangerous(character: char) -> bool {
        character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
    }

    proptest! {
        #[test]
        fn no_dangerous_character_survives(text in any::<String>()) {
            prop_assert!(!visible(&text).contains(is_dangerous));
            prop_assert!(!visible_lines(&text).contains(|character| character != '\n' && is_dangerous(character)));
        }

        #[test]
        fn dangerous_characters_among_others_are_shown(text in "[a-z\u{0}-\u{1f}\u{7f}-\u{9f}\u{2020}-\u{2070}]{0,40}") {
            prop_assert!(!visible(&text).contains(is_dangerous));
        }

        #[test]
        fn json_of_any_text_reads_back(text in any::<String>()) {
            let safe = json(&serde_json::to_string(&text).unwrap()).into_owned();
            prop_assert!(!safe.contains(is_dangerous));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }
    }
}
