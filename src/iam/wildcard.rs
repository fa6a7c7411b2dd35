//! IAM's wildcards: `*` for any text, `?` for one character.

/// Whether a pattern over actions matches an action; upper and lower case do not matter.
pub fn action_matches(pattern: &str, action: &str) -> bool {
    glob(pattern, action, |left, right| left.eq_ignore_ascii_case(&right))
}

/// Whether a pattern over resources matches an ARN; upper and lower case matter.
pub fn resource_matches(pattern: &str, resource: &str) -> bool {
    glob(pattern, resource, |left, right| left == right)
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

    proptest! {
        #[test]
        fn text_matches_itself_and_a_star_around_any_part(text in "[a-z?:]{0,12}", head in "[a-z*?]{0,6}") {
            prop_assert!(resource_matches(&text, &text));
            let with_tail = format!("{head}*");
            let whole = format!("{head}{text}");
            prop_assert!(resource_matches(&with_tail, &whole));
        }
    }
}
