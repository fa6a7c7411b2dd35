//! ARN formats of the service authorization reference: text with `${Variable}` for what differs.

/// One format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArnFormat {
    parts: Vec<Part>,
    /// The service of every ARN of this format, if it is certain.
    service: Option<&'static str>,
    /// The literal that follows the service.
    behind_service: &'static str,
    literal_length: usize,
}

/// What stands between two separators of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    Word(&'static str),
    Variable,
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
                return Self::new(vec![Part::Literal(format)]);
            };
            parts.push(Part::Variable(variable));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest));
        }
        Self::new(parts)
    }

    fn new(parts: Vec<Part>) -> Self {
        let literals = parts.iter().map(|part| match part {
            Part::Literal(text) => text.len(),
            Part::Variable(_) => 0,
        });
        let (service, behind_service) = service(&parts).unzip();
        Self {
            literal_length: literals.sum(),
            service,
            behind_service: behind_service.unwrap_or_default(),
            parts,
        }
    }

    /// Pieces in order.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What stands between the separators `:` and `/` behind the service; `None` if the service may vary, or a variable has
    /// something else beside it.
    pub(super) fn segments(&self) -> Option<Vec<Segment>> {
        self.service?;
        let literal = [Part::Literal(self.behind_service)];
        let parts = literal.iter().chain(self.parts.get(3..)?);
        // What is behind the last separator, if there is anything.
        let mut open: Option<Segment> = None;
        let mut segments = Vec::new();
        for part in parts {
            let text = match part {
                Part::Variable(_) => {
                    if open.replace(Segment::Variable).is_some() {
                        return None;
                    }
                    continue;
                }
                Part::Literal(text) => *text,
            };
            for (position, word) in text.split([':', '/']).enumerate() {
                if position > 0 {
                    segments.extend(open.take());
                }
                if !word.is_empty() && open.replace(Segment::Word(word)).is_some() {
                    return None;
                }
            }
        }
        segments.extend(open);
        Some(segments)
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
        self.literal_length
    }

    /// Whether an ARN has this format.
    ///
    /// The last variable may hold slashes, as names with a path and object keys do, unless it names a bucket. `loosely`
    /// lets it hold colons too.
    pub(super) fn matches(&self, arn: &str, loosely: bool) -> bool {
        match self.service {
            None => matches(&self.parts, arn, loosely),
            Some(service) => behind_service(arn, service).is_some_and(|rest| {
                let rest = rest.strip_prefix(self.behind_service);
                rest.is_some_and(|rest| matches(self.parts.get(3..).unwrap_or_default(), rest, loosely))
            }),
        }
    }
}

/// The service of a format like `arn:${Partition}:s3:…`, and the literal behind it.
fn service(parts: &[Part]) -> Option<(&'static str, &'static str)> {
    let [
        Part::Literal("arn:"),
        Part::Variable("Partition"),
        Part::Literal(literal),
        rest @ ..,
    ] = parts
    else {
        return None;
    };
    // As the last variable the partition may hold colons.
    rest.first()?;
    literal.strip_prefix(':')?.split_once(':')
}

/// What follows `arn:partition:service:`, if that is the service.
fn behind_service<'t>(arn: &'t str, service: &str) -> Option<&'t str> {
    let rest = arn.strip_prefix("arn:")?;
    let end = rest.bytes().position(|byte| matches!(byte, b':' | b'/'))?;
    let (partition, rest) = rest.split_at_checked(end)?;
    let rest = rest.strip_prefix(':').filter(|_| !partition.is_empty())?;
    rest.strip_prefix(service)?.strip_prefix(':')
}

fn matches(parts: &[Part], text: &str, loosely: bool) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return text.is_empty();
    };
    let name = match part {
        Part::Literal(literal) => {
            let after = text.strip_prefix(literal);
            return after.is_some_and(|after| matches(rest, after, loosely));
        }
        Part::Variable(name) => *name,
    };
    // Region and account are empty in the ARNs of some services.
    let may_be_empty = matches!(name, "Region" | "Account");
    if may_be_empty && matches(rest, text, loosely) {
        return true;
    }
    let is_last = rest.iter().all(|part| matches!(part, Part::Literal(_)));
    let is_inside = |byte: u8| match byte {
        b'/' => is_last && name != "BucketName",
        b':' => is_last && loosely,
        _ => true,
    };
    // Only where the next literal begins can the variable end.
    let next = match rest.first() {
        Some(Part::Literal(literal)) => literal.bytes().next(),
        _ => None,
    };
    for (end, byte) in text.bytes().enumerate() {
        let is_end = end > 0 && next.is_none_or(|next| next == byte) && !rest.is_empty();
        if is_end && text.get(end..).is_some_and(|after| matches(rest, after, loosely)) {
            return true;
        }
        if !is_inside(byte) {
            return false;
        }
    }
    !text.is_empty() && matches(rest, "", loosely)
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
