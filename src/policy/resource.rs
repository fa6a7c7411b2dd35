//! Which resources a statement is about.

use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::iam::resource_matches;

/// Whether a statement is about a resource; policy variables may stand for anything.
pub(super) fn covers(statement: &Statement, arn: &str) -> bool {
    match &statement.resources {
        Some(Scope::Only(patterns)) => patterns.texts().any(|pattern| may_match(pattern, arn)),
        Some(Scope::AllBut(patterns)) => !patterns.texts().any(|pattern| resource_matches(pattern, arn)),
        None => false,
    }
}

/// Whether a pattern matches a resource when its policy variables stand for the right text.
pub(super) fn may_match(pattern: &str, arn: &str) -> bool {
    resource_matches(&without_variables(pattern), arn)
}

/// A pattern whose policy variables, such as `${aws:username}`, match anything.
pub(super) fn without_variables(pattern: &str) -> String {
    let mut parts = pattern.split("${");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push('*');
        plain.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_variables_match_anything() {
        let cases = [
            ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/*/*"),
            ("${a}x${b}", "*x*"),
            ("open${a", "open*"),
            ("plain", "plain"),
        ];
        for (pattern, plain) in cases {
            assert_eq!(without_variables(pattern), plain);
        }
    }
}
