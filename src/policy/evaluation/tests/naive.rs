//! The rules once more, slow and plain, written from the user guide alone; and the comparison with the engine.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Decision;
use super::super::KeyState;
use super::super::Stated;
use super::super::evaluate;
use super::worlds;
use super::worlds::Dice;
use super::worlds::PRINCIPALS;
use super::worlds::Pools;
use super::worlds::World;
use super::worlds::Written;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Allowed,
    Explicit,
    Implicit,
}

/// How a principal element fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Nobody,
    Account,
    Origin,
    Direct,
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap().to_owned()).collect(),
        value => vec![value.as_str().unwrap().to_owned()],
    }
}

/// `*` and `?` by recursion; the flag says that a character stands for itself.
fn glob(pattern: &[(char, bool)], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((('*', false), rest)) => (0..=text.len()).any(|start| glob(rest, &text[start..])),
        Some((('?', false), rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some(((plain, _), rest)) => text.first() == Some(plain) && glob(rest, &text[1..]),
    }
}

/// Characters with the flag whether each stands for itself; nothing where a variable has no value.
fn fill(text: &str, is_2012: bool, context: &BTreeMap<String, Vec<String>>) -> Option<Vec<(char, bool)>> {
    let mut filled = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if is_2012 && rest.starts_with("${") {
            let end = rest.find('}').unwrap();
            let inside = &rest[2..end];
            rest = &rest[end + 1..];
            let value = if ["*", "?", "$"].contains(&inside) {
                inside.to_owned()
            } else {
                let mut parts = inside.split(", ");
                let name = parts.next().unwrap();
                let default = parts.next().map(|quoted| quoted.trim_matches('\'').to_owned());
                let found = context.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, values)| values[0].clone()).or(default)?
            };
            filled.extend(value.chars().map(|character| (character, true)));
        } else {
            let character = rest.chars().next().unwrap();
            filled.push((character, false));
            rest = &rest[character.len_utf8()..];
        }
    }
    Some(filled)
}

fn seconds(text: &str) -> i64 {
    match text {
        "2020-02-29T12:00:00Z" => 1_582_977_600,
        "2020-03-01T00:00:00Z" | "1583020800" | "2020-03-01T01:30:00+01:30" => 1_583_020_800,
        "2020-12-31" => 1_609_372_800,
        other => panic!("{other}"),
    }
}

/// An address as the digits 0 and 1.
fn bits(address: &str) -> String {
    match address.parse().unwrap() {
        std::net::IpAddr::V4(address) => address.octets().iter().map(|octet| format!("{octet:08b}")).collect(),
        std::net::IpAddr::V6(address) => address.octets().iter().map(|octet| format!("{octet:08b}")).collect(),
    }
}

/// Whether a value of the request matches one of the policy, for operators without `Not`.
fn matches(operator: &str, found: &str, wanted: &str, is_2012: bool, context: &BTreeMap<String, Vec<String>>) -> bool {
    let order = |left: f64, right: f64| left.partial_cmp(&right).unwrap();
    let relation = |ordering: std::cmp::Ordering| {
        if operator.ends_with("lessthanequals") {
            ordering.is_le()
        } else if operator.ends_with("greaterthanequals") {
            ordering.is_ge()
        } else if operator.ends_with("lessthan") {
            ordering.is_lt()
        } else if operator.ends_with("greaterthan") {
            ordering.is_gt()
        } else {
            ordering.is_eq()
        }
    };
    if operator.starts_with("numeric") {
        return relation(order(found.parse().unwrap(), wanted.parse().unwrap()));
    }
    if operator.starts_with("date") {
        return relation(seconds(found).cmp(&seconds(wanted)));
    }
    match operator {
        "bool" | "binaryequals" => return found == wanted,
        "ipaddress" => {
            let (start, length) = wanted.split_once('/').unwrap_or((wanted, "32"));
            let (address, start) = (bits(found), bits(start));
            return address.len() == start.len() && address.starts_with(&start[..length.parse().unwrap()]);
        }
        _ => {}
    }
    let Some(pattern) = fill(wanted, is_2012, context) else {
        return false;
    };
    let characters: Vec<char> = found.chars().collect();
    let plain: String = pattern.iter().map(|(character, _)| character).collect();
    match operator {
        "stringequals" => plain == found,
        "stringequalsignorecase" => plain.to_lowercase() == found.to_lowercase(),
        "stringlike" => glob(&pattern, &characters),
        "arnequals" | "arnlike" => {
            let patterns: Vec<_> = pattern.splitn(6, |(character, _)| *character == ':').collect();
            let parts: Vec<_> = characters.splitn(6, |character| *character == ':').collect();
            patterns.iter().zip(&parts).all(|(pattern, part)| glob(pattern, part))
        }
        other => panic!("{other}"),
    }
}

fn condition(operator: &str, key: &str, wanted: &[String], is_2012: bool, world: &World) -> bool {
    let operator = operator.to_lowercase();
    let all = operator.strip_prefix("forallvalues:");
    let any = operator.strip_prefix("foranyvalue:");
    let name = all.or(any).unwrap_or(&operator);
    let base = name.strip_suffix("ifexists").unwrap_or(name);
    let found = world.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
    let found = found.map(|(_, values)| values.clone()).unwrap_or_default();
    if base == "null" {
        return wanted.iter().any(|wanted| (wanted == "true") == found.is_empty());
    }
    let is_negated = base.contains("not");
    let positive = base.replace("not", "");
    if found.is_empty() {
        return if name.ends_with("ifexists") || all.is_some() {
            true
        } else {
            any.is_none() && is_negated
        };
    }
    let holds = |found: &String| {
        let mut matching = wanted
            .iter()
            .filter(|wanted| matches(&positive, found, wanted, is_2012, &world.context));
        matching.next().is_some() != is_negated
    };
    if any.is_some() {
        found.iter().any(holds)
    } else {
        found.iter().all(holds)
    }
}

/// Whether action, resource and conditions fit.
fn fits(statement: &Value, is_2012: bool, world: &World) -> bool {
    let is_action = |pattern: &String| {
        let pattern: Vec<(char, bool)> = pattern
            .to_lowercase()
            .chars()
            .map(|character| (character, false))
            .collect();
        glob(&pattern, &world.action.to_lowercase().chars().collect::<Vec<_>>())
    };
    let is_resource = |pattern: &String| {
        let name: Vec<char> = world.resource.unwrap_or("*").chars().collect();
        fill(pattern, is_2012, &world.context).is_some_and(|pattern| glob(&pattern, &name))
    };
    let action = match statement.get("Action") {
        Some(actions) => list(actions).iter().any(is_action),
        None => !list(&statement["NotAction"]).iter().any(is_action),
    };
    let resource = match statement.get("Resource") {
        Some(resources) => list(resources).iter().any(is_resource),
        None => !list(&statement["NotResource"]).iter().any(is_resource),
    };
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let mut blocks = conditions.into_iter().flatten();
    action
        && resource
        && blocks.all(|(operator, keys)| {
            let mut keys = keys.as_object().unwrap().iter();
            keys.all(|(key, wanted)| condition(operator, key, &list(wanted), is_2012, world))
        })
}

fn principal_fits(statement: &Value, world: &World) -> Fit {
    let (kind, itself, origin, account) = PRINCIPALS[world.principal];
    let of = |set: &Value| {
        if set.as_str() == Some("*") {
            return Fit::Direct;
        }
        let names = |name: &str| set.get(name).map(list).unwrap_or_default();
        let (aws, services) = (names("AWS"), names("Service"));
        let has = |wanted: &str| !wanted.is_empty() && aws.iter().any(|name| name == wanted);
        let has_account = !account.is_empty() && (has(account) || has(&format!("arn:aws:iam::{account}:root")));
        if has("*") || (kind == "service" && services.iter().any(|name| name == itself)) {
            Fit::Direct
        } else if (kind != "service" && has(itself)) || (kind == "root" && has_account) {
            Fit::Direct
        } else if has(origin) {
            Fit::Origin
        } else if has_account {
            Fit::Account
        } else {
            Fit::Nobody
        }
    };
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(set), _) => of(set),
        (_, Some(set)) => {
            let has_boundary = world.boundary.is_some() && ["session", "user", "federated"].contains(&kind);
            if has_boundary || of(set) == Fit::Nobody {
                Fit::Direct
            } else {
                Fit::Nobody
            }
        }
        _ => Fit::Direct,
    }
}

/// The statements of a policy that apply: whether each denies, and how it fits the principal.
fn applying(policy: &Value, world: &World) -> Vec<(bool, Fit)> {
    let is_2012 = policy["Version"] == "2012-10-17";
    let statements = policy["Statement"].as_array().unwrap().iter();
    let fitting = statements.filter(|statement| fits(statement, is_2012, world));
    let with_fit = fitting.map(|statement| (statement["Effect"] == "Deny", principal_fits(statement, world)));
    with_fit.filter(|(_, fit)| *fit != Fit::Nobody).collect()
}

fn answer(world: &World, pools: &Pools) -> Answer {
    let (kind, _, origin, account) = PRINCIPALS[world.principal];
    let plain = |positions: &[usize]| -> Vec<(bool, Fit)> {
        positions
            .iter()
            .flat_map(|position| applying(&pools.plain[*position].json, world))
            .collect()
    };
    let allows = |statements: &[(bool, Fit)]| statements.iter().any(|(denies, _)| !denies);
    let is_linked = origin.contains("/aws-service-role/");
    let is_identity = ["session", "user", "federated"].contains(&kind);
    let is_managed = world.management == Some(account);

    let identity = if is_identity {
        plain(&world.identity)
    } else {
        Vec::new()
    };
    let boundary = world
        .boundary
        .filter(|_| is_identity)
        .map(|position| plain(&[position]));
    let session = match world.session {
        Some(position) if ["session", "federated"].contains(&kind) => Some(plain(&[position])),
        // Without a policy a federated user has no permissions of its own.
        None if kind == "federated" => Some(Vec::new()),
        _ => None,
    };
    let is_bound = !account.is_empty() && !is_linked && !is_managed;
    let levels = world.service_control.iter().filter(|_| is_bound);
    let service_control: Vec<_> = levels.map(|level| plain(level)).collect();
    let is_owner_managed = world.resource.is_some() && world.management == Some(world.owner);
    let is_limited = !is_linked && !is_owner_managed && world.action != "kms:RetireGrant";
    let limiting = world.resource_control.iter().flatten().filter(|_| is_limited);
    let resource_control: Vec<_> = limiting
        .flat_map(|position| applying(&pools.of_resources[*position].json, world))
        .collect();
    let endpoint = world.endpoint.map(|position| plain(&[position]));
    let mut resource = match (world.resource, world.resource_policy) {
        (Some(_), Some(position)) => applying(&pools.of_resources[position].json, world),
        _ => Vec::new(),
    };
    let is_same = world.resource.is_none() || account == world.owner;
    if kind == "root" && is_same && world.action == "s3:GetBucketPolicy" {
        resource.retain(|(denies, _)| !denies);
    }

    let mut everything = identity
        .iter()
        .chain(boundary.iter().flatten())
        .chain(session.iter().flatten());
    let mut others = service_control.iter().flatten().chain(&resource_control);
    let mut rest = endpoint.iter().flatten().chain(&resource);
    if everything.any(|(denies, _)| *denies) || others.any(|(denies, _)| *denies) || rest.any(|(denies, _)| *denies) {
        return Answer::Explicit;
    }
    if !service_control.iter().all(|level| allows(level)) || !endpoint.is_none_or(|endpoint| allows(&endpoint)) {
        return Answer::Implicit;
    }
    let is_limited =
        !boundary.is_none_or(|boundary| allows(&boundary)) || !session.is_none_or(|session| allows(&session));
    let own = kind == "root" || allows(&identity);
    let granted = |fit: Fit| resource.iter().any(|(_, found)| *found == fit);
    let is_strict = world.resource.is_some() && (world.action.starts_with("kms:") || world.action == "sts:AssumeRole");
    let is_allowed = if account.is_empty() {
        allows(&resource)
    } else if !is_same {
        own && allows(&resource) && !is_limited
    } else if granted(Fit::Direct) {
        true
    } else if is_limited {
        false
    } else if granted(Fit::Origin) {
        true
    } else {
        own && (!is_strict || granted(Fit::Account))
    };
    if is_allowed { Answer::Allowed } else { Answer::Implicit }
}

fn answer_of(decision: &Decision<'_>) -> Option<Answer> {
    match decision {
        Decision::Allowed { .. } => Some(Answer::Allowed),
        Decision::ExplicitlyDenied { .. } => Some(Answer::Explicit),
        Decision::ImplicitlyDenied { .. } => Some(Answer::Implicit),
        Decision::Unknown { .. } => None,
    }
}

fn show(world: &World, pools: &Pools, everybody: &[Written]) -> String {
    format!("{:#?}\n{:#?}", world.request(), world.policies(pools, everybody))
}

#[test]
fn engine_agrees_with_the_plain_rules_in_a_hundred_thousand_cases() {
    let mut counts: BTreeMap<Answer, usize> = BTreeMap::new();
    for seed in 0..10 {
        let mut dice = Dice(seed);
        let pools = Pools::roll(&mut dice, 300);
        let everybody = worlds::for_everybody(&pools);
        for _ in 0..10_000 {
            let world = World::roll(&mut dice, &pools);
            let wanted = answer(&world, &pools);
            let decision = evaluate(&world.request(), &world.policies(&pools, &everybody));
            assert_eq!(
                answer_of(&decision),
                Some(wanted),
                "{decision}\n{}",
                show(&world, &pools, &everybody)
            );
            *counts.entry(wanted).or_default() += 1;
        }
    }
    assert!(
        counts.len() == 3 && counts.values().all(|count| *count >= 10_000),
        "{counts:?}"
    );
}

#[test]
fn definite_decisions_hold_for_every_value_of_what_is_unknown() {
    let mut dice = Dice(77);
    let pools = Pools::roll(&mut dice, 300);
    let everybody = worlds::for_everybody(&pools);
    let keys = worlds::single_keys();
    let mut counts = [0_usize; 3];
    for _ in 0..6_000 {
        let mut world = World::roll(&mut dice, &pools);
        let unknown: Vec<&str> = (0..2).map(|_| keys[dice.below(keys.len())]).collect();
        let (mut request, mut policies) = (world.request(), world.policies(&pools, &everybody));
        for key in &unknown {
            request.context.set(key, KeyState::Unknown);
        }
        let hides_owner = dice.one_in(5) && world.resource.is_some();
        if hides_owner {
            request.resource.account_id = None;
            world.management = None;
            policies.management_account_id = None;
        }
        let hides_resource_policy = dice.one_in(5);
        if hides_resource_policy {
            policies.resource = Stated::Unknown;
        }
        let decision = evaluate(&request, &policies);
        let mut answers = Vec::new();
        let options = |key: &str| -> Vec<Option<Vec<String>>> {
            let values = worlds::candidates(key).into_iter().map(Some);
            values.chain([None]).collect()
        };
        let owners: &[&'static str] = if hides_owner {
            &[worlds::HOME, worlds::AWAY]
        } else {
            &[world.owner]
        };
        let resource_policies = match hides_resource_policy {
            true => vec![None, world.resource_policy, Some(0), Some(1)],
            false => vec![world.resource_policy],
        };
        for first in options(unknown[0]) {
            for second in options(unknown[1]) {
                for owner in owners {
                    for resource_policy in &resource_policies {
                        for (key, values) in unknown.iter().zip([&first, &second]) {
                            match values {
                                Some(values) => world.context.insert((*key).to_owned(), values.clone()),
                                None => world.context.remove(*key),
                            };
                        }
                        (world.owner, world.resource_policy) = (*owner, *resource_policy);
                        answers.push(answer(&world, &pools) == Answer::Allowed);
                    }
                }
            }
        }
        match answer_of(&decision) {
            Some(definite) => {
                counts[usize::from(definite == Answer::Allowed)] += 1;
                let is_same = answers
                    .iter()
                    .all(|is_allowed| *is_allowed == (definite == Answer::Allowed));
                assert!(is_same, "{decision}\n{request:#?}\n{policies:#?}");
            }
            None => {
                counts[2] += 1;
                let Decision::Unknown { missing } = &decision else {
                    panic!()
                };
                assert!(!missing.is_empty());
            }
        }
    }
    assert!(counts.iter().all(|count| *count >= 300), "{counts:?}");
}
