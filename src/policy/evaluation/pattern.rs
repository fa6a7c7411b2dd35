//! Patterns of resources and condition values: wildcards, and policy variables with their values filled in.
//!
//! User guide, "IAM policy elements: Variables and tags": variables work with the language version 2012-10-17 only, may
//! have a default as `${key, 'default'}`, and `${*}`, `${?}` and `${$}` are these characters themselves. Where a variable
//! has no value, "the value is effectively null. There is no equal or like value" (section "Policy variables with no value").

use super::keys::ContextKeys;
use super::keys::KeyState;
use crate::iam::document::Version;

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A character that stands for itself.
    Literal(char),
    /// `?`: any one character.
    One,
    /// `*`: any text.
    Many,
}

/// A text of a policy with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filled {
    /// All have values. These are taken as they are: a `*` in a value is no wildcard.
    Tokens(Vec<Token>),
    /// One has no value, so that nothing is equal to the text.
    Null,
    /// It depends on the value of this key.
    Unknown(String),
}

/// Whether a text of a policy has variables.
pub(super) fn has_variables(text: &str, version: Option<Version>) -> bool {
    version == Some(Version::Of2012) && text.contains("${")
}

/// Fills in the variables of a text.
pub(super) fn fill(text: &str, context: &ContextKeys) -> Filled {
    let mut tokens = Vec::with_capacity(text.len());
    let mut unknown = None;
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("${") {
        let Some((variable, after)) = from.split_once('}') else {
            break;
        };
        tokens.extend(before.chars().map(Token::of));
        match value_of(variable, context) {
            Filled::Tokens(value) => tokens.extend(value),
            Filled::Null => return Filled::Null,
            Filled::Unknown(key) => unknown = unknown.or(Some(key)),
        }
        rest = after;
    }
    tokens.extend(rest.chars().map(Token::of));
    unknown.map_or(Filled::Tokens(tokens), Filled::Unknown)
}

/// Whether a pattern matches a text; `is_same` compares characters.
pub(super) fn matches(pattern: &[Token], text: &[char], is_same: impl Fn(char, char) -> bool) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut restart = None;
    loop {
        match (pattern.get(at_pattern), text.get(at_text)) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                at_pattern += 1;
                restart = Some((at_pattern, at_text));
                continue;
            }
            (Some(Token::One), Some(_)) => {
                (at_pattern, at_text) = (at_pattern + 1, at_text + 1);
                continue;
            }
            (Some(Token::Literal(wanted)), Some(found)) if is_same(*wanted, *found) => {
                (at_pattern, at_text) = (at_pattern + 1, at_text + 1);
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = restart else {
            return false;
        };
        if from >= text.len() {
            return false;
        }
        (at_pattern, at_text) = (after_star, from + 1);
        restart = Some((after_star, from + 1));
    }
}

/// The text that a pattern is when its wildcards are plain characters.
pub(super) fn plain(tokens: &[Token]) -> String {
    let characters = tokens.iter().map(|token| match token {
        Token::Literal(character) => *character,
        Token::One => '?',
        Token::Many => '*',
    });
    characters.collect()
}

impl Token {
    /// What a character of a policy's text stands for.
    pub(super) fn of(character: char) -> Self {
        match character {
            '*' => Self::Many,
            '?' => Self::One,
            other => Self::Literal(other),
        }
    }
}

fn value_of(variable: &str, context: &ContextKeys) -> Filled {
    let literal = |text: &str| Filled::Tokens(text.chars().map(Token::Literal).collect());
    if matches!(variable, "*" | "?" | "$") {
        return literal(variable);
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key, Some(default.trim())),
        None => (variable, None),
    };
    let unquoted = default.map(|text| text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')));
    let key = key.trim();
    match (context.state(key), unquoted) {
        // What AWS makes of a default without quotes is not written anywhere.
        (_, Some(None)) => Filled::Unknown(key.to_owned()),
        (KeyState::Absent, Some(Some(default))) => literal(default),
        (KeyState::Absent, None) => Filled::Null,
        (KeyState::Present(values), default) => match (values.as_slice(), default) {
            ([], Some(Some(default))) => literal(default),
            ([], _) => Filled::Null,
            // An empty value counts as none in some places and as a value in others.
            ([value], _) if !value.is_empty() => literal(value),
            _ => Filled::Unknown(key.to_owned()),
        },
        (KeyState::ValueUnknown | KeyState::Unknown, _) => Filled::Unknown(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn context() -> ContextKeys {
        let mut keys = ContextKeys::complete();
        keys.set_value("aws:username", "ann");
        keys.set_value("aws:PrincipalTag/glob", "a*b");
        keys.set("aws:SourceVpc", KeyState::Unknown);
        keys.set_value("aws:PrincipalTag/empty", "");
        keys
    }

    fn text_of(text: &str) -> Option<String> {
        match fill(text, &context()) {
            Filled::Tokens(tokens) => Some(plain(&tokens)),
            _ => None,
        }
    }

    #[test]
    fn variables_have_their_values_or_defaults() {
        for (text, wanted) in [
            ("home/${aws:username}/*", "home/ann/*"),
            ("${AWS:UserName}", "ann"),
            ("${aws:PrincipalTag/team, 'none yet'}/x", "none yet/x"),
            ("${aws:username, 'none'}", "ann"),
            ("a${*}b${?}c${$}", "a*b?c$"),
            ("open ${aws:username", "open ${aws:username"),
        ] {
            assert_eq!(text_of(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(fill("x${aws:PrincipalTag/team}", &context()), Filled::Null);
        let unknown = Filled::Unknown("aws:SourceVpc".to_owned());
        assert_eq!(fill("${aws:SourceVpc}", &context()), unknown);
        assert_eq!(
            fill("${aws:SourceVpc}${aws:PrincipalTag/team}", &context()),
            Filled::Null
        );
        let empty = Filled::Unknown("aws:PrincipalTag/empty".to_owned());
        assert_eq!(fill("${aws:PrincipalTag/empty}", &context()), empty);
    }

    #[test]
    fn wildcards_in_values_are_plain_characters() {
        let Filled::Tokens(tokens) = fill("x/${aws:PrincipalTag/glob}/*", &context()) else {
            panic!("the value is known")
        };
        let is_match = |text: &str| matches(&tokens, &text.chars().collect::<Vec<_>>(), |left, right| left == right);
        assert!(is_match("x/a*b/c"));
        assert!(!is_match("x/aXb/c"));
    }

    #[test]
    fn variables_are_text_in_the_language_of_2008() {
        assert!(!has_variables("${aws:username}", Some(Version::Of2008)));
        assert!(!has_variables("${aws:username}", None));
        assert!(has_variables("${aws:username}", Some(Version::Of2012)));
    }

    /// The same as a regular expression.
    fn regular(pattern: &str) -> regex::Regex {
        let pieces = pattern.chars().map(|character| match character {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            plain => regex::escape(&plain.to_string()),
        });
        regex::Regex::new(&format!("^(?s:{})$", pieces.collect::<String>())).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn both_matchers_agree_with_regular_expressions(pattern in "[ab.é:*?\\n]{0,10}", text in "[ab.é:\\n]{0,10}") {
            let tokens: Vec<Token> = pattern.chars().map(Token::of).collect();
            let characters: Vec<char> = text.chars().collect();
            let wanted = regular(&pattern).is_match(&text);
            prop_assert_eq!(matches(&tokens, &characters, |left, right| left == right), wanted);
            prop_assert_eq!(crate::iam::resource_matches(&pattern, &text), wanted);
            prop_assert_eq!(crate::iam::action_matches(&pattern.to_ascii_uppercase(), &text), wanted);
        }
    }
}
