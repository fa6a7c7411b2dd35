//! ARN formats of the service authorization reference: text with `${Variable}` for what differs.

/// One format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArnFormat {
    parts: Vec<Part>,
}

/// A piece of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Literal(&'static str),
    Variable(&'static str),
}

impl ArnFormat {
    pub(super) fn parse(format: &'static str) -> Self {
        let mut parts = Vec::new();
        let mut rest = format;
        while let Some((literal, after)) = rest.split_once("${") {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal));
            }
            let Some((variable, behind)) = after.split_once('}') else {
                return Self {
                    parts: vec![Part::Literal(format)],
                };
            };
            parts.push(Part::Variable(variable));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest));
        }
        Self { parts }
    }

    /// Pieces in order.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Names of what varies, in order.
    pub(super) fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(*name),
            Part::Literal(_) => None,
        })
    }

    /// Length of the text that does not vary: of two formats that match, the longer says more.
    pub(super) fn literal_length(&self) -> usize {
        let literals = self.parts.iter().map(|part| match part {
            Part::Literal(text) => text.len(),
            Part::Variable(_) => 0,
        });
        literals.sum()
    }

    /// Whether an ARN has this format.
    ///
    /// The last variable may hold slashes, as names with a path and object keys do, unless it names a bucket. `loosely`
    /// lets it hold colons too.
    pub(super) fn matches(&self, arn: &str, loosely: bool) -> bool {
        matches(&self.parts, arn, loosely)
    }
}

fn matches(parts: &[Part], text: &str, loosely: bool) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    match part {
        Part::Literal(literal) => text
            .strip_prefix(literal)
            .is_some_and(|after| matches(rest, after, loosely)),
        Part::Variable(name) => {
            let is_last = rest.iter().all(|part| matches!(part, Part::Literal(_)));
            // Region and account are empty in the ARNs of some services.
            let may_be_empty = matches!(*name, "Region" | "Account");
            if may_be_empty && matches(rest, text, loosely) {
                return true;
            }
            let is_inside = |letter: char| match letter {
                '/' => is_last && *name != "BucketName",
                ':' => is_last && loosely,
                _ => true,
            };
            if rest.is_empty() {
                return !text.is_empty() && text.chars().all(is_inside);
            }
            let ends = text
                .char_indices()
                .map(|(index, letter)| (index + letter.len_utf8(), letter));
            for (end, letter) in ends {
                if !is_inside(letter) {
                    return false;
                }
                if text.get(end..).is_some_and(|after| matches(rest, after, loosely)) {
                    return true;
                }
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:${Partition}:s3:::${BucketName}";
    const OBJECT: &str = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";
    const ROLE: &str = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}";

    fn is_match(format: &'static str, arn: &str) -> bool {
        ArnFormat::parse(format).matches(arn, false)
    }

    #[test]
    fn bucket_and_object_are_told_apart() {
        assert!(is_match(BUCKET, "arn:aws:s3:::logs"));
        assert!(!is_match(BUCKET, "arn:aws:s3:::logs/2026/a.gz"));
        assert!(is_match(OBJECT, "arn:aws-cn:s3:::logs/2026/a.gz"));
        assert!(!is_match(OBJECT, "arn:aws:s3:::logs"));
    }

    #[test]
    fn path_is_part_of_a_role_name_and_other_services_do_not_match() {
        assert!(is_match(ROLE, "arn:aws:iam::111122223333:role/ci/deploy"));
        assert!(!is_match(ROLE, "arn:aws:iam::111122223333:user/ci"));
        assert!(!is_match(ROLE, "arn:aws:iam::111122223333:role/"));
    }

    #[test]
    fn colons_are_only_part_of_a_name_when_asked_for() {
        let group = ArnFormat::parse("arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}");
        let arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x:*";
        assert!(!group.matches(arn, false) && group.matches(arn, true));
    }
}
