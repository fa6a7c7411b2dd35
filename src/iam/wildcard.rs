//! IAM's wildcards: `*` for any text, `?` for one character.

/// Whether a pattern over actions matches an action; upper and lower case do not matter.
pub fn action_matches(pattern: &str, action: &str) -> bool {
    glob(pattern, action, |left, right| left.eq_ignore_ascii_case(&right))
}

/// Whether a pattern over resources matches an ARN; upper and lower case matter.
pub fn resource_matches(pattern: &str, resource: &str) -> bool {
    glob(pattern, resource, |left, right| left == right)
}

/// Whether a pattern over resources matches every ARN that another pattern matches.
///
/// What the other one's wildcards stand for is a character that no pattern has, as often as it may make a difference.
pub fn pattern_covers(pattern: &str, other: &str) -> bool {
    const ANY: &str = "\u{f8ff}";
    let other = other.replace('?', ANY);
    let lengths = match other.contains('*') {
        true => 0..=pattern.chars().count() + 1,
        false => 0..=0,
    };
    let mut texts = lengths.map(|length| other.replace('*', &ANY.repeat(length)));
    texts.all(|text| resource_matches(pattern, &text))
}

/// Whether some ARN is matched by both patterns.
pub fn patterns_meet(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    // Whether the rests of both patterns meet, from their ends on: by position in the right one.
    let mut below = vec![false; right.len() + 1];
    for row in (0..=left.len()).rev() {
        let mut own = vec![false; right.len() + 1];
        for column in (0..=right.len()).rev() {
            let (wanted, found) = (left.get(row), right.get(column));
            let at = |line: &[bool], position: usize| line.get(position).copied().unwrap_or_default();
            let meets = match (wanted, found) {
                (None, None) => true,
                (Some('*'), _) => at(&below, column) || found.is_some() && at(&own, column + 1),
                (_, Some('*')) => at(&own, column + 1) || wanted.is_some() && at(&below, column),
                (Some(wanted), Some(found)) => {
                    (wanted == found || *wanted == '?' || *found == '?') && at(&below, column + 1)
                }
                (Some(_), None) | (None, Some(_)) => false,
            };
            if let Some(cell) = own.get_mut(column) {
                *cell = meets;
            }
        }
        below = own;
    }
    below.first().copied().unwrap_or_default()
}

/// Two cursors and one restart point, so that the time is bounded by the product of the lengths.
fn glob(pattern: &str, text: &str, is_same: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut restart: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (mut rest_of_pattern, mut rest_of_text) = (pattern.clone(), text.clone());
        match (rest_of_pattern.next(), rest_of_text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = rest_of_pattern;
                restart = Some((pattern.clone(), text.clone()));
                continue;
            }
            (Some(wanted), Some(found)) if wanted == '?' || is_same(wanted, found) => {
                (pattern, text) = (rest_of_pattern, rest_of_text);
                continue;
            }
            _ => {}
        }
        let Some((after_star, mut from)) = restart.take() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (after_star.clone(), from.clone());
        restart = Some((after_star, from));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_match_as_iam_says() {
        for (pattern, action) in [
            ("*", "s3:GetObject"),
            ("s3:*", "s3:GetObject"),
            ("S3:getobject", "s3:GetObject"),
            ("s3:Get*", "s3:GetObject"),
            ("s3:*Object", "s3:GetObject"),
            ("s3:G?tO*t", "s3:GetObject"),
            ("s3:**", "s3:GetObject"),
        ] {
            assert!(action_matches(pattern, action), "{pattern}");
        }
        for pattern in ["", "s3", "s3:Get", "s3:Get?", "s3:GetObject?", "s3:*Objects", "ec2:*"] {
            assert!(!action_matches(pattern, "s3:GetObject"), "{pattern}");
        }
        assert!(!resource_matches("arn:aws:s3:::Logs/*", "arn:aws:s3:::logs/a"));
        assert!(resource_matches("arn:aws:s3:::logs/*/x?", "arn:aws:s3:::logs/a/b/xy"));
    }

    #[test]
    fn patterns_are_compared_with_patterns() {
        let group = "arn:aws:logs:r:1:log-group:/g:*";
        for (pattern, other, covers, meets) in [
            (group, group, true, true),
            ("arn:aws:logs:r:1:log-group:/g*", group, true, true),
            ("arn:aws:logs:*", group, true, true),
            ("arn:aws:logs:r:1:log-group:/g", group, false, false),
            ("arn:aws:logs:r:1:log-group:/g:log-stream:*", group, false, true),
            ("*", "", true, true),
            ("", "", true, true),
            ("", "*", false, true),
            ("a?", "a*", false, true),
            ("a?*", "a*", false, true),
            ("a*", "a?", true, true),
            ("a??", "a?", false, false),
            ("secret:db-??????", "secret:db-??????", true, true),
            ("secret:db-*", "secret:db-??????", true, true),
            ("secret:db-AbCdEf", "secret:db-??????", false, true),
            ("secret:db", "secret:db-??????", false, false),
            ("*x", "*y", false, false),
            ("x*", "*y", false, true),
        ] {
            assert_eq!(pattern_covers(pattern, other), covers, "{pattern} {other}");
            assert_eq!(patterns_meet(pattern, other), meets, "{pattern} {other}");
        }
    }

    proptest! {
        #[test]
        fn pattern_that_covers_another_matches_what_that_one_matches(
            left in "[ab*?]{0,5}",
            right in "[ab*?]{0,5}",
            text in "[abc]{0,6}",
        ) {
            let by_both = resource_matches(&left, &text) && resource_matches(&right, &text);
            prop_assert!(!by_both || patterns_meet(&left, &right));
            prop_assert_eq!(patterns_meet(&left, &right), patterns_meet(&right, &left));
            let is_missed = resource_matches(&right, &text) && !resource_matches(&left, &text);
            prop_assert!(!is_missed || !pattern_covers(&left, &right));
            prop_assert!(!pattern_covers(&left, &right) || patterns_meet(&left, &right));
        }

        #[test]
        fn text_matches_itself_and_a_star_around_any_part(text in "[a-z?:]{0,12}", head in "[a-z*?]{0,6}") {
            prop_assert!(resource_matches(&text, &text));
            let with_tail = format!("{head}*");
            let whole = format!("{head}{text}");
            prop_assert!(resource_matches(&with_tail, &whole));
        }
    }
}
