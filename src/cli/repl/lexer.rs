//! Where one SQL statement ends: the first semicolon that stands in no string, name or comment.

use std::iter::Peekable;
use std::str::CharIndices;

/// The first statement of the text and what follows its semicolon; `None` while no statement is complete.
pub(super) fn first_statement(text: &str) -> Option<(&str, &str)> {
    let end = statement_end(text)?;
    let (statement, rest) = text.split_at_checked(end)?;
    Some((statement, rest.strip_prefix(';').unwrap_or(rest)))
}

/// The statements of a script; the last one needs no semicolon.
pub(super) fn statements(script: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut rest = script;
    while let Some((statement, following)) = first_statement(rest) {
        statements.push(statement.trim());
        rest = following;
    }
    statements.push(rest.trim());
    statements.retain(|statement| !is_blank(statement));
    statements
}

/// True when the text holds nothing but white space and comments.
pub(super) fn is_blank(text: &str) -> bool {
    let mut characters = text.char_indices().peekable();
    while let Some((_, character)) = characters.next() {
        match character {
            '-' if next_is(&mut characters, '-') => skip_line(&mut characters),
            '/' if next_is(&mut characters, '*') => {
                skip_comment(&mut characters);
            }
            other if other.is_whitespace() => {}
            _ => return false,
        }
    }
    true
}

fn statement_end(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        match character {
            ';' => return Some(position),
            // A doubled quote ends one string and begins the next, which comes to the same.
            '\'' | '"' => skip_past(&mut characters, character)?,
            '-' if next_is(&mut characters, '-') => skip_line(&mut characters),
            '/' if next_is(&mut characters, '*') => skip_comment(&mut characters)?,
            _ => {}
        }
    }
    None
}

fn next_is(characters: &mut Peekable<CharIndices<'_>>, wanted: char) -> bool {
    characters.peek().is_some_and(|(_, character)| *character == wanted)
}

fn skip_past(characters: &mut Peekable<CharIndices<'_>>, quote: char) -> Option<()> {
    characters.find(|(_, character)| *character == quote).map(|_| ())
}

fn skip_line(characters: &mut Peekable<CharIndices<'_>>) {
    for (_, character) in characters.by_ref() {
        if character == '\n' {
            return;
        }
    }
}

/// Skips a comment after its first `/`; comments nest. `None` when it does not end.
fn skip_comment(characters: &mut Peekable<CharIndices<'_>>) -> Option<()> {
    let mut depth = 0_usize;
    let mut previous = '/';
    for (_, character) in characters.by_ref() {
        match (previous, character) {
            ('/', '*') => {
                depth += 1;
                previous = ' ';
            }
            ('*', '/') => {
                depth -= 1;
                previous = ' ';
            }
            _ => previous = character,
        }
        if depth == 0 {
            return Some(());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    #[test]
    fn statement_ends_at_its_semicolon() {
        assert_eq!(first_statement("select 1; select 2"), Some(("select 1", " select 2")));
    }

    #[test]
    fn statement_without_semicolon_is_incomplete() {
        for text in [
            "",
            "select 1",
            "select ';'",
            "select \"a;\"",
            "select 1 -- ;",
            "select 1 /* ;",
            "select 'a;",
        ] {
            assert_eq!(first_statement(text), None, "{text}");
        }
    }

    #[test]
    fn semicolon_in_string_name_or_comment_ends_nothing() {
        let cases = [
            "select 'a;b'",
            "select 'it''s;'",
            "select \"a;\"\"b\"",
            "select 1 -- a;b\n + 1",
            "select /* ; /* nested; */ ; */ 1",
            "select 4 / 2 - 1",
            "select 'é;' as \"日;\"",
        ];
        for statement in cases {
            assert_eq!(
                first_statement(&format!("{statement};")),
                Some((statement, "")),
                "{statement}"
            );
        }
    }

    #[test]
    fn script_is_split_and_its_last_statement_needs_no_semicolon() {
        let script = "-- first\nselect 1;\n\nselect ';';; -- done\nselect 3\n";
        assert_eq!(
            statements(script),
            ["-- first\nselect 1", "select ';'", "-- done\nselect 3"]
        );
    }

    #[test]
    fn script_of_comments_holds_no_statement() {
        assert!(statements("-- nothing\n/* here */ ;\n").is_empty());
    }

    proptest! {
        #[test]
        fn statements_are_parts_of_the_script(script in "[a'\";/*\\-\n é]{0,40}") {
            for statement in statements(&script) {
                prop_assert!(script.contains(statement) && !statement.is_empty());
            }
        }
    }
}
