//! From resources that were touched to patterns over them, and whether a present statement covers such a pattern.
//!
//! The rule, which docs/policy.md states:
//! - objects of a bucket become `bucket/first-folder/*`, or `bucket/*` for more than five folders; up to five objects in no
//!   folder keep their names;
//! - resources that come and go under names that AWS makes up, such as instances, become `*` in place of these names;
//! - up to five resources of a kind keep their names; more that begin alike become what they share and `*`; up to twenty
//!   others keep their names, and more become `*`;
//! - partition, service, region and account stay as they are in the ARNs.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::functions::functions;

use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::iam::resource_matches;
use crate::policy::resource::may_match;

/// Names that are listed one by one.
pub(super) const FEW: usize = 5;
/// Names that have nothing in common and are still listed.
pub(super) const MANY: usize = 20;
/// Characters that names must share to become a pattern.
pub(super) const MIN_SHARED: usize = 3;
/// Characters that AWS adds to the name of a secret, after a hyphen.
const SECRET_SUFFIX: usize = 6;

/// Services and kinds of resources whose last name part is made up by AWS and does not come again.
const PASSING: &[(&str, &str)] = &[
    ("cloudformation", "stack/"),
    ("ec2", "instance/"),
    ("ec2", "network-interface/"),
    ("ec2", "snapshot/"),
    ("ec2", "spot-instances-request/"),
    ("ec2", "volume/"),
    ("ecs", "container-instance/"),
    ("ecs", "task/"),
    ("ssm", "session/"),
    ("states", "execution:"),
];

/// A pattern over resources: literal pieces with `*` or `??????` between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Literal(String),
    Any,
    One,
}

/// Resources that became one or several patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generalised {
    pub(super) patterns: Vec<Pattern>,
    pub(super) arns: BTreeSet<String>,
    /// Whether the ARNs are those of the resources; else only the patterns certainly match these.
    pub(super) is_exact: bool,
}

impl Generalised {
    /// One resource by its name.
    pub(super) fn of_one(arn: &str) -> Self {
        named(&[arn].into(), "")
    }

    /// Patterns that match resources of which the ARNs say what is known.
    pub(super) fn hinted(patterns: BTreeSet<Pattern>, arns: BTreeSet<String>) -> Self {
        Self {
            patterns: patterns.into_iter().collect(),
            arns,
            is_exact: false,
        }
    }
}

impl Pattern {
    pub(super) fn literal(text: &str) -> Self {
        let mut pattern = Self(Vec::new());
        pattern.push(text);
        pattern
    }

    /// With anything behind it.
    pub(super) fn and_more(self) -> Self {
        self.then(Piece::Any)
    }

    /// With a literal text behind it.
    pub(super) fn and(mut self, text: &str) -> Self {
        self.push(text);
        self
    }

    /// A literal text; what a policy document cannot hold becomes `*`.
    fn push(&mut self, text: &str) {
        for character in text.chars() {
            let is_plain = (' '..='~').contains(&character);
            match (self.0.last_mut(), is_plain) {
                (Some(Piece::Literal(literal)), true) => literal.push(character),
                (_, true) => self.0.push(Piece::Literal(character.to_string())),
                (Some(Piece::Any), false) => {}
                (_, false) => self.0.push(Piece::Any),
            }
        }
    }

    fn then(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }

    /// As it stands in a policy document of 2012: wildcards of literal text as `${*}`, `${?}` and `${$}`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(&escaped(literal)),
                Piece::Any => text.push('*'),
                Piece::One => text.push('?'),
            }
        }
        text
    }

    /// Whether a pattern of a present statement matches whatever this one does; false where that is not certain.
    fn is_within(&self, present: &str) -> bool {
        if present == self.text() {
            return true;
        }
        // A question mark matches one character of a text, but not the `*` that stands for many.
        if present.contains(['?', '$']) {
            return false;
        }
        let mut probe = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => probe.push_str(literal),
                // No literal piece has such a character, so only a `*` matches it.
                Piece::Any | Piece::One => probe.push('\u{0}'),
            }
        }
        resource_matches(present, &probe)
    }
}

/// The elements of `Resource` that allow what was touched and stay within a present statement; `None` where the statement
/// does not cover all of it with patterns, so that its own element must stay.
pub(super) fn within(statement: &Statement, touched: &Generalised, is_2012: bool) -> Option<BTreeSet<String>> {
    let Some(Scope::Only(present)) = &statement.resources else {
        return None;
    };
    if touched
        .patterns
        .iter()
        .all(|pattern| present.texts().any(|text| pattern.is_within(text)))
    {
        return Some(touched.patterns.iter().map(Pattern::text).collect());
    }
    if !touched.is_exact {
        return None;
    }
    let mut kept = BTreeSet::new();
    for arn in &touched.arns {
        let text = present.texts().find(|text| may_match(text, arn))?;
        kept.insert(modern(text, is_2012));
    }
    Some(kept)
}

/// A text of a document of 2008, in which `${` means nothing, as it is written in one of 2012.
pub(super) fn modern(text: &str, is_2012: bool) -> String {
    match is_2012 {
        true => text.to_owned(),
        false => text.replace("${", "${$}{"),
    }
}

/// Patterns over resources.
pub(super) fn generalise(arns: &BTreeSet<String>) -> Vec<Generalised> {
    let mut by_head: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut generalised = Vec::new();
    for arn in arns {
        match taken_apart(arn) {
            Some((head, name)) => {
                by_head.entry(head).or_default().insert(name);
            }
            None => generalised.push(named(&[arn.as_str()].into(), "")),
        }
    }
    for (head, names) in &by_head {
        generalised.extend(match head.strip_suffix('/').filter(|_| is_bucket(head)) {
            Some(bucket) => objects(bucket, names),
            None => vec![others(head, names)],
        });
    }
    generalised
}

/// The fixed part of an ARN up to the kind of the resource, and the name behind it.
pub(super) fn taken_apart(arn: &str) -> Option<(String, &str)> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.clone().nth(2)?;
    let resource = parts.nth(5)?;
    let cut = match service {
        "s3" | "sqs" | "sns" if !resource.contains('/') => 0,
        _ => resource.find(['/', ':']).map_or(0, |position| position + 1),
    };
    let (kind, name) = resource.split_at_checked(cut)?;
    let head = arn.strip_suffix(resource)?;
    Some((format!("{head}{kind}"), name))
}

/// Whether a head is that of the objects of a bucket.
fn is_bucket(head: &str) -> bool {
    head.split(':').nth(2) == Some("s3") && head.split(':').nth(4) == Some("")
}

fn objects(bucket: &str, keys: &BTreeSet<&str>) -> Vec<Generalised> {
    let whole = |keys: &BTreeSet<&str>| Generalised {
        patterns: vec![Pattern::literal(&format!("{bucket}/")).then(Piece::Any)],
        arns: keys.iter().map(|key| format!("{bucket}/{key}")).collect(),
        is_exact: true,
    };
    let (mut folders, mut plain): (BTreeMap<&str, BTreeSet<&str>>, BTreeSet<&str>) = Default::default();
    for key in keys {
        match key.split_once('/') {
            Some((folder, _)) => {
                folders.entry(folder).or_default().insert(key);
            }
            None => {
                plain.insert(key);
            }
        }
    }
    if folders.len() > FEW || plain.len() > FEW {
        return vec![whole(keys)];
    }
    let mut generalised: Vec<Generalised> = folders
        .iter()
        .map(|(folder, keys)| Generalised {
            patterns: vec![Pattern::literal(&format!("{bucket}/{folder}/")).then(Piece::Any)],
            ..whole(keys)
        })
        .collect();
    if !plain.is_empty() {
        generalised.push(named(&plain, &format!("{bucket}/")));
    }
    generalised
}

fn others(head: &str, names: &BTreeSet<&str>) -> Generalised {
    let mut parts = head.splitn(6, ':');
    let service = parts.clone().nth(2).unwrap_or_default();
    let kind = parts.nth(5).unwrap_or_default();
    let is_stream = |name: &str| name.contains(":log-stream:");
    if is_passing(service, kind) || service == "logs" && names.iter().any(|name| is_stream(name)) {
        return passing(head, names);
    }
    if (service, kind) == ("ecs", "task-definition/") {
        return families(head, names);
    }
    if service == "secretsmanager" {
        return secrets(head, names);
    }
    if (service, kind) == ("lambda", "function:") {
        return functions(head, names);
    }
    let shared = shared_head(names);
    if names.len() > FEW && shared.len() >= MIN_SHARED || names.len() > MANY {
        return Generalised {
            patterns: vec![Pattern::literal(&format!("{head}{shared}")).then(Piece::Any)],
            ..named(names, head)
        };
    }
    named(names, head)
}

/// Each by its name.
pub(super) fn named(names: &BTreeSet<&str>, head: &str) -> Generalised {
    let arns: BTreeSet<String> = names.iter().map(|name| format!("{head}{name}")).collect();
    Generalised {
        patterns: arns.iter().map(|arn| Pattern::literal(arn)).collect(),
        arns,
        is_exact: true,
    }
}

/// Without the last part of each name.
fn passing(head: &str, names: &BTreeSet<&str>) -> Generalised {
    let stems: BTreeSet<&str> = names
        .iter()
        .map(|name| {
            let end = name.rfind(['/', ':']).map_or(0, |position| position + 1);
            // The part of a log stream's name may have slashes.
            let stream = name
                .find(":log-stream:")
                .map(|position| position + ":log-stream:".len());
            name.get(..stream.unwrap_or(end)).unwrap_or_default()
        })
        .collect();
    let stems = match stems.len() > FEW {
        true => BTreeSet::from([""]),
        false => stems,
    };
    let pattern = |stem: &&str| Pattern::literal(&format!("{head}{stem}")).then(Piece::Any);
    Generalised {
        patterns: stems.iter().map(pattern).collect(),
        ..named(names, head)
    }
}

/// Every deployment makes another revision of a task definition.
fn families(head: &str, names: &BTreeSet<&str>) -> Generalised {
    let families: BTreeSet<&str> = names.iter().filter_map(|name| name.split(':').next()).collect();
    let pattern = |family: &&str| Pattern::literal(&format!("{head}{family}:")).then(Piece::Any);
    Generalised {
        patterns: families.iter().map(pattern).collect(),
        ..named(names, head)
    }
}

/// Whether AWS makes up the names of a kind, so that they do not come again.
pub(super) fn is_passing(service: &str, kind: &str) -> bool {
    PASSING.contains(&(service, kind))
}

/// A record may name a secret with or without the characters that AWS adds to its name.
fn secrets(head: &str, names: &BTreeSet<&str>) -> Generalised {
    let mut listed = named(names, head);
    let with_suffix = names.iter().map(|name| {
        let pattern = Pattern::literal(&format!("{head}{name}-"));
        (0..SECRET_SUFFIX).fold(pattern, |pattern, _| pattern.then(Piece::One))
    });
    listed.patterns.extend(with_suffix);
    listed.patterns.sort();
    listed
}

/// What names begin with, up to a mark that divides names.
pub(super) fn shared_head<'n>(names: &BTreeSet<&'n str>) -> &'n str {
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return "";
    };
    // Of texts in order, first and last differ earliest.
    let same = first.char_indices().zip(last.chars());
    let end = same.take_while(|((_, left), right)| left == right).last();
    let shared = end.and_then(|((position, character), _)| first.get(..position + character.len_utf8()));
    let shared = shared.unwrap_or_default();
    let cut = shared
        .rfind(['-', '_', '/', '.', ':'])
        .map_or(0, |position| position + 1);
    shared.get(..cut).unwrap_or_default()
}

fn escaped(literal: &str) -> String {
    let mut text = String::new();
    for character in literal.chars() {
        match character {
            '*' | '?' | '$' => text.extend(["${", character.encode_utf8(&mut [0; 4]), "}"]),
            plain => text.push(plain),
        }
    }
    text
}

/// A list that is one value where it has only one.
pub(super) fn listed(values: impl IntoIterator<Item = String>) -> OneOrMany<String> {
    OneOrMany::Many(values.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(arns: &[&str]) -> Vec<String> {
        let arns = arns.iter().map(|arn| (*arn).to_owned()).collect();
        let generalised = generalise(&arns);
        let texts = generalised.iter().flat_map(|it| it.patterns.iter().map(Pattern::text));
        texts.collect()
    }

    fn statement(resources: &[&str]) -> Statement {
        let mut statement = Statement::new(
            crate::iam::document::Effect::Allow,
            Scope::Only(OneOrMany::One("s3:GetObject".to_owned())),
        );
        statement.resources = Some(Scope::Only(listed(resources.iter().map(|text| (*text).to_owned()))));
        statement
    }

    #[test]
    fn objects_become_their_first_folder() {
        assert_eq!(
            patterns(&[
                "arn:aws:s3:::logs/2026/09/a",
                "arn:aws:s3:::logs/2026/10/b",
                "arn:aws:s3:::logs/x",
                "arn:aws:s3:::other"
            ]),
            ["arn:aws:s3:::other", "arn:aws:s3:::logs/2026/*", "arn:aws:s3:::logs/x"]
        );
        let many: Vec<String> = (0..6).map(|folder| format!("arn:aws:s3:::logs/{folder}/a")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(patterns(&many), ["arn:aws:s3:::logs/*"]);
    }

    #[test]
    fn names_that_begin_alike_become_a_pattern_only_when_they_are_many() {
        let tables: Vec<String> = (0..6)
            .map(|number| format!("arn:aws:dynamodb:eu-west-1:1:table/orders-{number}"))
            .collect();
        let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
        assert_eq!(patterns(&tables), ["arn:aws:dynamodb:eu-west-1:1:table/orders-*"]);
        assert_eq!(patterns(&tables[..5]), tables[..5]);
        let strangers: Vec<String> = "abcdefg"
            .chars()
            .map(|name| format!("arn:aws:sqs:r:1:{name}"))
            .collect();
        let strangers: Vec<&str> = strangers.iter().map(String::as_str).collect();
        assert_eq!(patterns(&strangers), strangers);
    }

    #[test]
    fn versions_of_functions_are_left_open_and_aliases_are_named() {
        let function = |name: &str| format!("arn:aws:lambda:r:1:function:{name}");
        for (names, wanted) in [
            (&["f:7"][..], &["f:*"][..]),
            (&["f", "f:1", "f:2", "f:3", "f:4", "f:5", "f:6"], &["f", "f:*"]),
            (&["f:$LATEST", "f:prod"], &["f:${$}LATEST", "f:prod"]),
            (&["f:prod/durable-execution/x/y"], &["f:prod/durable-execution/*"]),
            (&["job-1", "job-2", "job-3", "job-4", "job-5", "job-6:1"], &["job-*"]),
        ] {
            let arns: Vec<String> = names.iter().map(|name| function(name)).collect();
            let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
            let wanted: Vec<String> = wanted.iter().map(|name| function(name)).collect();
            assert_eq!(patterns(&arns), wanted);
        }
    }

    #[test]
    fn what_comes_and_goes_is_not_named() {
        assert_eq!(
            patterns(&["arn:aws:ec2:r:1:instance/i-0a", "arn:aws:ec2:r:1:instance/i-0b"]),
            ["arn:aws:ec2:r:1:instance/*"]
        );
        assert_eq!(
            patterns(&["arn:aws:ecs:r:1:task/prod/0123"]),
            ["arn:aws:ecs:r:1:task/prod/*"]
        );
        assert_eq!(
            patterns(&["arn:aws:logs:r:1:log-group:/aws/x:log-stream:2026/09/[1]a"]),
            ["arn:aws:logs:r:1:log-group:/aws/x:log-stream:*"]
        );
        assert_eq!(
            patterns(&["arn:aws:secretsmanager:r:1:secret:db"]),
            [
                "arn:aws:secretsmanager:r:1:secret:db",
                "arn:aws:secretsmanager:r:1:secret:db-??????"
            ]
        );
    }

    #[test]
    fn names_cannot_pose_as_wildcards_or_variables() {
        assert_eq!(
            patterns(&["arn:aws:sqs:r:1:*", "arn:aws:sqs:r:1:a?${aws:username}"]),
            ["arn:aws:sqs:r:1:${*}", "arn:aws:sqs:r:1:a${?}${$}{aws:username}"]
        );
        assert_eq!(patterns(&["arn:aws:sqs:r:1:a\u{202e}\nb"]), ["arn:aws:sqs:r:1:a*b"]);
        assert_eq!(patterns(&["no arn"]), ["no arn"]);
    }

    #[test]
    fn pattern_stays_only_within_what_the_statement_covers() {
        let touched = generalise(&["arn:aws:s3:::logs/2026/a".to_owned()].into());
        let within = |resources: &[&str]| {
            within(&statement(resources), &touched[0], true).map(|texts| texts.into_iter().collect::<Vec<_>>())
        };
        let narrowed = Some(vec!["arn:aws:s3:::logs/2026/*".to_owned()]);
        assert_eq!(within(&["*"]), narrowed);
        assert_eq!(within(&["arn:aws:s3:::logs/*"]), narrowed);
        let own = |text: &str| Some(vec![text.to_owned()]);
        for present in [
            "arn:aws:s3:::logs/2026/?",
            "arn:aws:s3:::logs/*/a",
            "arn:aws:s3:::logs/2026/a",
            "arn:aws:s3:::logs/${aws:PrincipalTag/year}/*",
        ] {
            assert_eq!(within(&[present]), own(present), "{present}");
        }
        assert_eq!(within(&["arn:aws:s3:::logs/2025/*"]), None);
    }

    #[test]
    fn variables_of_old_documents_stay_plain_text() {
        assert_eq!(modern("a/${aws:username}", false), "a/${$}{aws:username}");
        assert_eq!(modern("a/${aws:username}", true), "a/${aws:username}");
    }
}
