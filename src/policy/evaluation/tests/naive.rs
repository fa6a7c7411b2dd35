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
    let plain = |text: &str| text.chars().map(|character| (character, false)).collect::<Vec<_>>();
    if !is_2012 {
        return Some(plain(text));
    }
    let mut pieces = text.split("${");
    let mut filled = plain(pieces.next()?);
    for piece in pieces {
        let (inside, after) = piece.split_once('}')?;
        let value = if ["*", "?", "$"].contains(&inside) {
            inside.to_owned()
        } else {
            let mut parts = inside.split(", ");
            let name = parts.next()?;
            let default = parts.next().map(|quoted| quoted.trim_matches('\'').to_owned());
            let found = context.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, values)| values[0].clone()).or(default)?
        };
        filled.extend(value.chars().map(|character| (character, true)));
        filled.extend(plain(after));
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
            let length: usize = length.parse().unwrap();
            let mut pairs = address.chars().zip(start.chars()).take(length);
            return address.len() == start.len() && pairs.all(|(left, right)| left == right);
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
        let is_itself = match kind {
            "service" => services.iter().any(|name| name == itself),
            "root" => has_account,
            _ => has(itself),
        };
        if has("*") || is_itself {
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

/// The statements that apply, layer by layer; a layer that has no say is left out.
struct Applying {
    identity: Vec<(bool, Fit)>,
    boundary: Option<Vec<(bool, Fit)>>,
    session: Option<Vec<(bool, Fit)>>,
    service_control: Vec<Vec<(bool, Fit)>>,
    resource_control: Vec<(bool, Fit)>,
    endpoint: Option<Vec<(bool, Fit)>>,
    resource: Vec<(bool, Fit)>,
}

fn layers(world: &World, pools: &Pools) -> Applying {
    let (kind, _, origin, account) = PRINCIPALS[world.principal];
    let plain = |positions: &[usize]| -> Vec<(bool, Fit)> {
        let policies = positions.iter().map(|position| &pools.plain[*position].json);
        policies.flat_map(|policy| applying(policy, world)).collect()
    };
    let of_resource = |position: &usize| applying(&pools.of_resources[*position].json, world);
    let is_linked = origin.contains("/aws-service-role/");
    let is_identity = ["session", "user", "federated"].contains(&kind);
    let is_bound = !account.is_empty() && !is_linked && world.management != Some(account);
    let is_owner_managed = world.resource.is_some() && world.management == Some(world.owner);
    let is_limited = !is_linked && !is_owner_managed && world.action != "kms:RetireGrant";
    let mut resource = match (world.resource, &world.resource_policy) {
        (Some(_), Some(position)) => of_resource(position),
        _ => Vec::new(),
    };
    if kind == "root" && account == world.owner && world.action == "s3:GetBucketPolicy" {
        resource.retain(|(denies, _)| !denies);
    }
    let service_control = world.service_control.iter().filter(|_| is_bound);
    let resource_control = world.resource_control.iter().flatten().filter(|_| is_limited);
    Applying {
        identity: if is_identity {
            plain(&world.identity)
        } else {
            Vec::new()
        },
        boundary: world
            .boundary
            .filter(|_| is_identity)
            .map(|position| plain(&[position])),
        session: match world.session {
            Some(position) if ["session", "federated"].contains(&kind) => Some(plain(&[position])),
            // Without a policy a federated user has no permissions of its own.
            None if kind == "federated" => Some(Vec::new()),
            _ => None,
        },
        service_control: service_control.map(|level| plain(level)).collect(),
        resource_control: resource_control.flat_map(of_resource).collect(),
        endpoint: world.endpoint.map(|position| plain(&[position])),
        resource,
    }
}

fn answer(world: &World, pools: &Pools) -> Answer {
    let (kind, _, _, account) = PRINCIPALS[world.principal];
    let found = layers(world, pools);
    let limits = [&found.boundary, &found.session, &found.endpoint];
    let mut all = found
        .identity
        .iter()
        .chain(&found.resource)
        .chain(&found.resource_control);
    let mut rest = limits.into_iter().flatten().chain(&found.service_control).flatten();
    if all.any(|(denies, _)| *denies) || rest.any(|(denies, _)| *denies) {
        return Answer::Explicit;
    }
    let allows = |statements: &Vec<(bool, Fit)>| !statements.is_empty();
    if !found.service_control.iter().all(allows) || !found.endpoint.as_ref().is_none_or(allows) {
        return Answer::Implicit;
    }
    let is_limited = !found.boundary.as_ref().is_none_or(allows) || !found.session.as_ref().is_none_or(allows);
    let own = kind == "root" || allows(&found.identity);
    let granted = |fit: Fit| found.resource.iter().any(|(_, found)| *found == fit);
    let is_strict = world.resource.is_some() && (world.action.starts_with("kms:") || world.action == "sts:AssumeRole");
    let is_allowed = if account.is_empty() {
        allows(&found.resource)
    } else if world.resource.is_some() && account != world.owner {
        own && allows(&found.resource) && !is_limited
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

/// What is hidden from the engine.
struct Hidden {
    keys: [&'static str; 2],
    owner: bool,
    resource_policy: bool,
}

/// Whether the request succeeds, for every value of what is hidden.
fn possible_answers(mut world: World, pools: &Pools, hidden: &Hidden) -> Vec<bool> {
    let options = |key: &str| -> Vec<Option<Vec<String>>> {
        let values = worlds::candidates(key).into_iter().map(Some);
        values.chain([None]).collect()
    };
    let owners = match hidden.owner {
        true => vec![worlds::HOME, worlds::AWAY],
        false => vec![world.owner],
    };
    let resource_policies = match hidden.resource_policy {
        true => vec![None, world.resource_policy, Some(0), Some(1)],
        false => vec![world.resource_policy],
    };
    let mut answers = Vec::new();
    for first in options(hidden.keys[0]) {
        for second in options(hidden.keys[1]) {
            for (key, values) in hidden.keys.iter().zip([&first, &second]) {
                match values {
                    Some(values) => world.context.insert((*key).to_owned(), values.clone()),
                    None => world.context.remove(*key),
                };
            }
            for owner in &owners {
                for resource_policy in &resource_policies {
                    (world.owner, world.resource_policy) = (*owner, *resource_policy);
                    answers.push(answer(&world, pools) == Answer::Allowed);
                }
            }
        }
    }
    answers
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
        let hidden = Hidden {
            keys: [keys[dice.below(keys.len())], keys[dice.below(keys.len())]],
            owner: dice.one_in(5) && world.resource.is_some(),
            resource_policy: dice.one_in(5),
        };
        if hidden.owner {
            world.management = None;
        }
        let (mut request, mut policies) = (world.request(), world.policies(&pools, &everybody));
        for key in hidden.keys {
            request.context.set(key, KeyState::Unknown);
        }
        if hidden.owner {
            request.resource.account_id = None;
        }
        if hidden.resource_policy {
            policies.resource = Stated::Unknown;
        }
        let decision = evaluate(&request, &policies);
        let possible = possible_answers(world, &pools, &hidden);
        if let Decision::Unknown { missing } = &decision {
            assert!(!missing.is_empty());
            counts[2] += 1;
        } else {
            let is_allowed = answer_of(&decision) == Some(Answer::Allowed);
            let is_same = possible.iter().all(|possible| *possible == is_allowed);
            assert!(is_same, "{decision}\n{request:#?}\n{policies:#?}");
            counts[usize::from(is_allowed)] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count >= 300), "{counts:?}");
}
