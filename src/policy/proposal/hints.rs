//! What certainly covers the resources of uses, also where the records hold only their names.
//!
//! An ARN that stands in a record is what was asked for. One that is made of a name is a hint: the path of a role, the account
//! of a shared subnet or the suffix of a secret is not in it. Where it is known what may be missing, a pattern leaves room for
//! it; of all other kinds nothing is guessed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::resources::FEW;
use super::resources::Generalised;
use super::resources::MANY;
use super::resources::MIN_SHARED;
use super::resources::Pattern;
use super::resources::generalise;
use super::resources::is_passing;
use super::resources::shared_head;
use super::resources::taken_apart;

/// Services and kinds whose ARN is made of nothing but what requests say.
const NAMED_IN_FULL: &[(&str, &str)] = &[
    ("cloudfront", "distribution/"),
    ("dynamodb", "table/"),
    ("ec2", "instance/"),
    ("ec2", "volume/"),
    ("ecr", "repository/"),
    ("ecs", "cluster/"),
    ("ecs", "task/"),
    ("ecs", "task-definition/"),
    ("eks", "cluster/"),
    ("kinesis", "stream/"),
    ("kms", "alias/"),
    ("kms", "key/"),
    ("secretsmanager", "secret:"),
    ("sns", ""),
    ("sqs", ""),
    ("states", "stateMachine:"),
];
/// Actions that are checked on instances besides documents, and whose requests name these in ways that are not read: by tags,
/// or as targets of any kind.
const PARTLY_NAMED: [&str; 2] = ["ssm:SendCommand", "ssm:StartSession"];
/// Endings of aliases of access points, which stand in the place of a bucket's name.
const BUCKET_ALIASES: [&str; 3] = ["-s3alias", "--ol-s3", ".mrap"];
/// What may stand behind the name of a log group in an ARN.
const ALL_STREAMS: &str = ":*";

/// What a resource comes to.
enum Reach {
    /// The ARN says all.
    Exact,
    /// The resource has one of these ARNs.
    Patterns(Vec<Pattern>),
}

/// Whether the records of an action name all resources on which it is checked.
pub(super) fn names_all(action: &str) -> bool {
    !PARTLY_NAMED.contains(&action)
}

/// What covers all resources; otherwise a hint of which nothing certain is known.
pub(super) fn covering(arns: &BTreeSet<String>, hints: &BTreeSet<String>) -> Result<Vec<Generalised>, String> {
    let mut exact = BTreeSet::new();
    let mut vague: BTreeMap<(String, bool), BTreeMap<String, Vec<Pattern>>> = BTreeMap::new();
    for arn in arns {
        let is_hint = hints.contains(arn);
        match reach(arn, is_hint) {
            Some(Reach::Exact) => {
                exact.insert(arn.clone());
            }
            Some(Reach::Patterns(patterns)) => {
                let arn = arn.strip_suffix(ALL_STREAMS).unwrap_or(arn);
                let (head, name) = taken_apart(arn).ok_or_else(|| arn.to_owned())?;
                let of_head = vague.entry((head, !is_hint)).or_default();
                of_head.insert(name.to_owned(), patterns);
            }
            None => return Err(arn.clone()),
        }
    }
    let mut covering = generalise(&exact);
    covering.extend(vague.iter().map(|((head, is_exact), names)| Generalised {
        is_exact: *is_exact,
        ..of_head(head, names)
    }));
    Ok(covering)
}

/// The names of one kind: each, or what they share.
fn of_head(head: &str, names: &BTreeMap<String, Vec<Pattern>>) -> Generalised {
    let texts: BTreeSet<&str> = names.keys().map(String::as_str).collect();
    let shared = shared_head(&texts);
    let arns = names.keys().map(|name| format!("{head}{name}")).collect();
    // A path stands before a name, so that what names share says nothing of the ARNs.
    let (is_iam, is_ec2) = (is_of(head, "iam"), is_of(head, "ec2"));
    let patterns = match (names.len() > MANY, is_iam || is_ec2) {
        (true, _) if is_ec2 => [in_any_account(head).and_more()].into(),
        (true, true) => [Pattern::literal(head).and_more()].into(),
        (_, false) if names.len() > FEW && shared.len() >= MIN_SHARED => {
            [Pattern::literal(&format!("{head}{shared}")).and_more()].into()
        }
        (true, false) => [Pattern::literal(head).and_more()].into(),
        _ => names.values().flatten().cloned().collect(),
    };
    Generalised::hinted(patterns, arns)
}

fn is_of(head: &str, service: &str) -> bool {
    head.split(':').nth(2) == Some(service)
}

fn reach(arn: &str, is_hint: bool) -> Option<Reach> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.clone().nth(2)?;
    let account = parts.clone().nth(4)?;
    let resource = parts.nth(5)?;
    match service {
        "lambda" if is_unqualified(resource) => return Some(Reach::Patterns(with_and_without(arn, ":"))),
        "logs" if resource.starts_with("log-group:") && !resource.contains(":log-stream:") => {
            let group = arn.strip_suffix(ALL_STREAMS).unwrap_or(arn);
            return Some(Reach::Patterns(with_and_without(group, ":")));
        }
        _ if !is_hint => return Some(Reach::Exact),
        _ => {}
    }
    let (head, name) = taken_apart(arn)?;
    let kind = head.splitn(6, ':').nth(5)?;
    match (service, kind) {
        ("s3", _) if account.is_empty() => {
            let bucket = resource.split('/').next()?;
            let is_alias = BUCKET_ALIASES.iter().any(|ending| bucket.ends_with(ending));
            (!is_alias).then_some(Reach::Exact)
        }
        ("iam", "role/" | "user/" | "group/" | "policy/" | "instance-profile/" | "server-certificate/") => {
            let own = Pattern::literal(arn);
            let with_path = Pattern::literal(&head).and_more().and(&format!("/{name}"));
            Some(Reach::Patterns(vec![own, with_path]))
        }
        ("ssm", "parameter/") => of_parameter(arn, name),
        ("ssm", "document/") => Some(Reach::Patterns(vec![in_any_account(arn)])),
        ("ecs", "service/") => {
            // Services of the time before the long ARNs have no cluster in theirs.
            let (_, short) = name.split_once('/')?;
            Some(Reach::Patterns(vec![
                Pattern::literal(arn),
                Pattern::literal(&format!("{head}{short}")),
            ]))
        }
        _ if NAMED_IN_FULL.contains(&(service, kind)) => Some(Reach::Exact),
        ("ec2", _) if is_passing(service, kind) => Some(Reach::Patterns(vec![in_any_account(&head).and_more()])),
        // What is shared between accounts, and images of AWS.
        ("ec2", _) => Some(Reach::Patterns(vec![in_any_account(arn)])),
        _ => None,
    }
}

/// A function without version or alias: the call may have named one.
fn is_unqualified(resource: &str) -> bool {
    resource
        .strip_prefix("function:")
        .is_some_and(|name| !name.contains(':'))
}

fn with_and_without(arn: &str, mark: &str) -> Vec<Pattern> {
    let more = Pattern::literal(&format!("{arn}{mark}")).and_more();
    vec![Pattern::literal(arn), more]
}

/// A path stands for all below it; a version or label is no part of a name.
fn of_parameter(arn: &str, name: &str) -> Option<Reach> {
    if let Some(path) = arn.strip_suffix('*') {
        return Some(Reach::Patterns(vec![Pattern::literal(path).and_more()]));
    }
    (!name.contains(':')).then_some(Reach::Exact)
}

/// The ARN with `*` as its account.
fn in_any_account(arn: &str) -> Pattern {
    let before: String = arn.splitn(5, ':').take(4).flat_map(|part| [part, ":"]).collect();
    let behind = arn.splitn(6, ':').nth(5).unwrap_or_default();
    Pattern::literal(&before).and_more().and(&format!(":{behind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(arns: &[&str], is_hint: bool) -> Result<Vec<String>, String> {
        let arns: BTreeSet<String> = arns.iter().map(|arn| (*arn).to_owned()).collect();
        let hints = if is_hint { arns.clone() } else { BTreeSet::new() };
        let covering = covering(&arns, &hints)?;
        let patterns = covering.iter().flat_map(|it| it.patterns.iter().map(Pattern::text));
        Ok(patterns.collect())
    }

    #[test]
    fn name_of_a_role_leaves_room_for_its_path() {
        let role = "arn:aws:iam::111122223333:role/deploy";
        let with_path = "arn:aws:iam::111122223333:role/*/deploy";
        assert_eq!(texts(&[role], true).unwrap(), [with_path, role]);
        assert_eq!(texts(&[role], false).unwrap(), [role]);
    }

    #[test]
    fn function_and_log_group_are_covered_with_what_may_stand_behind_them() {
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:pay";
        let group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/pay";
        for is_hint in [true, false] {
            assert_eq!(
                texts(&[function], is_hint).unwrap(),
                [function, &format!("{function}:*")]
            );
            for named in [group, &format!("{group}:*")] {
                assert_eq!(texts(&[named], is_hint).unwrap(), [group, &format!("{group}:*")]);
            }
        }
        let alias = format!("{function}:live");
        assert_eq!(texts(&[&alias], false).unwrap(), [alias.as_str()]);
    }

    #[test]
    fn path_of_parameters_is_no_parameter_with_a_star() {
        let path = "arn:aws:ssm:eu-west-1:111122223333:parameter/app*";
        assert_eq!(texts(&[path], true).unwrap(), [path]);
        let version = "arn:aws:ssm:eu-west-1:111122223333:parameter/app/db:3";
        assert_eq!(texts(&[version], true), Err(version.to_owned()));
    }

    #[test]
    fn what_may_be_of_another_account_is_not_bound_to_one() {
        assert_eq!(
            texts(&["arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a"], true).unwrap(),
            ["arn:aws:ec2:eu-west-1:*:subnet/subnet-0a"]
        );
        assert_eq!(
            texts(
                &["arn:aws:ssm:eu-west-1:111122223333:document/AWS-RunShellScript"],
                true
            )
            .unwrap(),
            ["arn:aws:ssm:eu-west-1:*:document/AWS-RunShellScript"]
        );
    }

    #[test]
    fn of_other_kinds_nothing_is_guessed_but_their_arns_are_believed() {
        let database = "arn:aws:rds:eu-west-1:111122223333:db:Orders";
        assert_eq!(texts(&[database], true), Err(database.to_owned()));
        assert_eq!(texts(&[database], false).unwrap(), [database]);
        let alias = "arn:aws:s3:::in-abcdef-s3alias/a/b";
        assert_eq!(texts(&[alias], true), Err(alias.to_owned()));
        let object = "arn:aws:s3:::in/a/b";
        assert_eq!(texts(&[object], true).unwrap(), ["arn:aws:s3:::in/a/*"]);
    }

    #[test]
    fn many_names_become_what_certainly_covers_all_of_them() {
        let many = |kind: &str| -> Vec<String> { (0..30).map(|it| format!("{kind}app-{it}")).collect() };
        for (kind, pattern) in [
            ("arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/*"),
            ("arn:aws:ec2:eu-west-1:1:subnet/", "arn:aws:ec2:eu-west-1:*:subnet/*"),
            (
                "arn:aws:logs:eu-west-1:1:log-group:",
                "arn:aws:logs:eu-west-1:1:log-group:app-*",
            ),
        ] {
            let names = many(kind);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(texts(&names, true).unwrap(), [pattern]);
        }
    }

    #[test]
    fn revisions_and_passing_names_are_left_open() {
        let definition = "arn:aws:ecs:eu-west-1:111122223333:task-definition/pay:7";
        let family = "arn:aws:ecs:eu-west-1:111122223333:task-definition/pay:*";
        for is_hint in [true, false] {
            assert_eq!(texts(&[definition], is_hint).unwrap(), [family]);
        }
        let interface = "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1";
        let any = "arn:aws:ec2:eu-west-1:*:network-interface/*";
        assert_eq!(texts(&[interface], true).unwrap(), [any]);
    }
}
