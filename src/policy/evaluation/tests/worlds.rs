//! Random requests and policies for the comparison with the naive evaluation.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::ContextKeys;
use super::super::KeyState;
use super::super::Level;
use super::super::NamedPolicy;
use super::super::PolicySet;
use super::super::Principal;
use super::super::PrincipalKind;
use super::super::Request;
use super::super::Resource;
use super::super::Stated;
use crate::iam::document::Document;
use crate::iam::json::Json;

pub(super) const HOME: &str = "111122223333";
pub(super) const AWAY: &str = "444455556666";

/// Key, values that requests have, values that policies ask for, type.
const KEYS: &[(&str, &[&str], &[&str], &str)] = &[
    (
        "aws:PrincipalTag/team",
        &["red", "blue", "a*b"],
        &["red", "Red", "r*", "?ed", "${aws:username}", "a${*}b"],
        "text",
    ),
    (
        "aws:username",
        &["red", "ann"],
        &["ann", "A*", "${aws:PrincipalTag/team, 'red'}", "*"],
        "text",
    ),
    (
        "s3:max-keys",
        &["9", "10", "-3"],
        &["10", "10.0", "9.5", "-3"],
        "number",
    ),
    (
        "aws:CurrentTime",
        &["2020-02-29T12:00:00Z", "2020-03-01T00:00:00Z"],
        &["1583020800", "2020-03-01T01:30:00+01:30", "2020-12-31"],
        "moment",
    ),
    ("aws:SecureTransport", &["true", "false"], &["true", "false"], "truth"),
    ("kms:blob", &["Zm8=", "Zm9v"], &["Zm8=", "Zm9v"], "bytes"),
    (
        "aws:SourceIp",
        &["10.1.2.3", "203.0.113.7", "2001:db8::1"],
        &["10.0.0.0/8", "203.0.113.7", "0.0.0.0/0", "2001:db8::/32"],
        "network",
    ),
    (
        "aws:SourceArn",
        &[
            "arn:aws:iam::111122223333:role/red",
            "arn:aws:sns:eu-west-1:111122223333:a:b",
        ],
        &[
            "arn:aws:iam::*:role/*",
            "arn:aws:sns:*:111122223333:a*",
            "arn:aws:iam::111122223333:role/${aws:username}",
            "arn:*:iam:*",
        ],
        "arn",
    ),
];

const LISTS: &[(&str, &str)] = &[
    ("aws:TagKeys", "aws:PrincipalTag/team"),
    ("aws:SourceOrgPaths", "aws:username"),
];

const OPERATORS: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
    ),
    (
        "number",
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
    ),
    (
        "moment",
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
    ),
    ("truth", &["Bool"]),
    ("bytes", &["BinaryEquals"]),
    ("network", &["IpAddress", "NotIpAddress"]),
    ("arn", &["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"]),
];

const ACTIONS: &[&str] = &[
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "kms:Decrypt",
    "kms:*",
    "sts:AssumeRole",
    "sqs:S?ndMessage",
    "iam:*",
    "*:*",
];

const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:kms:*:111122223333:key/1?",
    "arn:aws:iam::*:role/*",
    "arn:aws:s3:::*/${aws:PrincipalTag/team, 'red'}/x",
    "arn:aws:s3:::data/a${*}b",
    "arn:aws:sqs:*",
];

/// What a request can be: action, resource with its owner.
const REQUESTS: &[(&str, Option<&str>)] = &[
    ("s3:GetObject", Some("arn:aws:s3:::data/red/x")),
    ("s3:GetObject", Some("arn:aws:s3:::data/a*b")),
    ("kms:Decrypt", Some("arn:aws:kms:eu-west-1:111122223333:key/12")),
    // Of a service of which no pattern is: such a pattern might cover it.
    ("secretsmanager:ListSecrets", None),
    ("sts:AssumeRole", Some("arn:aws:iam::111122223333:role/deploy")),
    ("sqs:SendMessage", Some("arn:aws:sqs:eu-west-1:111122223333:jobs")),
    ("s3:GetBucketPolicy", Some("arn:aws:s3:::data")),
    ("kms:RetireGrant", Some("arn:aws:kms:eu-west-1:111122223333:key/12")),
];

/// Kind, the names of the principal: itself, the role or user behind it, its account.
pub(super) const PRINCIPALS: &[(&str, &str, &str, &str)] = &[
    (
        "session",
        "arn:aws:sts::111122223333:assumed-role/reader/ann",
        "arn:aws:iam::111122223333:role/reader",
        HOME,
    ),
    (
        "session",
        "arn:aws:sts::444455556666:assumed-role/reader/ann",
        "arn:aws:iam::444455556666:role/reader",
        AWAY,
    ),
    (
        "session",
        "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/x",
        "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
        HOME,
    ),
    ("user", "arn:aws:iam::111122223333:user/ann", "", HOME),
    ("user", "arn:aws:iam::444455556666:user/ann", "", AWAY),
    ("root", "", "", HOME),
    ("root", "", "", AWAY),
    (
        "federated",
        "arn:aws:sts::111122223333:federated-user/bob",
        "arn:aws:iam::111122223333:user/ann",
        HOME,
    ),
    ("service", "logs.amazonaws.com", "", ""),
    ("anonymous", "", "", ""),
];

/// A policy in both forms.
pub(super) struct Written {
    pub(super) json: Value,
    pub(super) document: Document,
}

/// A request with its policies, by their positions in the pools.
pub(super) struct World {
    /// Position among the principals.
    pub(super) principal: usize,
    pub(super) action: &'static str,
    pub(super) resource: Option<&'static str>,
    pub(super) owner: &'static str,
    pub(super) context: BTreeMap<String, Vec<String>>,
    pub(super) identity: Vec<usize>,
    pub(super) boundary: Option<usize>,
    pub(super) session: Option<usize>,
    pub(super) service_control: Vec<Vec<usize>>,
    pub(super) resource_control: Vec<Vec<usize>>,
    pub(super) resource_policy: Option<usize>,
    pub(super) endpoint: Option<usize>,
    pub(super) management: Option<&'static str>,
}

/// Policies to choose from.
pub(super) struct Pools {
    pub(super) plain: Vec<Written>,
    pub(super) of_resources: Vec<Written>,
}

/// A small generator with a seed (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn some(&mut self, list: &[&str], most: usize) -> Value {
        let count = 1 + self.below(most);
        let mut values: Vec<Value> = (0..count).map(|_| Value::from(self.pick(list))).collect();
        match values.len() {
            1 if self.one_in(2) => values.remove(0),
            _ => Value::from(values),
        }
    }
}

impl Pools {
    pub(super) fn roll(dice: &mut Dice, size: usize) -> Self {
        Self {
            plain: (0..size).map(|_| Written::roll(dice, false)).collect(),
            of_resources: (0..size).map(|_| Written::roll(dice, true)).collect(),
        }
    }
}

impl Written {
    fn roll(dice: &mut Dice, has_principals: bool) -> Self {
        let count = 1 + dice.below(3);
        let statements: Vec<Value> = (0..count).map(|_| statement(dice, has_principals)).collect();
        let version = if dice.one_in(8) { "2008-10-17" } else { "2012-10-17" };
        let json = json!({ "Version": version, "Statement": statements });
        let document = Document::from_json(&Json::parse(&json.to_string()).unwrap()).unwrap();
        assert!(document.is_complete(), "{json}");
        Self { json, document }
    }
}

impl World {
    pub(super) fn roll(dice: &mut Dice, pools: &Pools) -> Self {
        let (action, resource) = dice.pick(REQUESTS);
        let principal = dice.below(PRINCIPALS.len());
        let plain = pools.plain.len();
        let levels = |dice: &mut Dice, often: usize, size: usize| -> Vec<Vec<usize>> {
            let count = if dice.one_in(often) { 1 + dice.below(2) } else { 0 };
            let level = |dice: &mut Dice| (0..=dice.below(2)).map(|_| dice.below(size)).collect();
            (0..count).map(|_| level(dice)).collect()
        };
        Self {
            principal,
            action,
            resource,
            owner: if dice.one_in(8) { AWAY } else { HOME },
            context: context(dice),
            service_control: levels(dice, 3, plain),
            resource_control: levels(dice, 5, pools.of_resources.len()),
            identity: (0..dice.below(4)).map(|_| dice.below(plain)).collect(),
            boundary: dice.one_in(4).then(|| dice.below(plain)),
            session: dice.one_in(3).then(|| dice.below(plain)),
            resource_policy: (!dice.one_in(3)).then(|| dice.below(pools.of_resources.len())),
            endpoint: dice.one_in(8).then(|| dice.below(plain)),
            management: dice.one_in(6).then_some(HOME),
        }
    }

    pub(super) fn request(&self) -> Request {
        let (kind, itself, origin, account) = PRINCIPALS[self.principal];
        let (itself, origin) = (itself.to_owned(), origin.to_owned());
        let kind = match kind {
            "session" => PrincipalKind::RoleSession {
                role_arn: origin,
                session_arn: itself,
            },
            "user" => PrincipalKind::User { arn: itself },
            "root" => PrincipalKind::Root {
                account_id: account.to_owned(),
            },
            "federated" => PrincipalKind::FederatedUser {
                arn: itself,
                user_arn: origin,
            },
            "service" => PrincipalKind::Service { names: vec![itself] },
            _ => PrincipalKind::Anonymous,
        };
        let mut context = ContextKeys::complete();
        for (key, values) in &self.context {
            context.set(key, KeyState::Present(values.clone()));
        }
        let resource = match self.resource {
            Some(arn) => Resource::owned(arn, self.owner),
            None => Resource::nothing(),
        };
        Request {
            principal: Principal::new(kind),
            action: self.action.to_owned(),
            resource,
            context,
        }
    }

    pub(super) fn policies<'p>(&self, pools: &'p Pools, everybody: &'p [Written]) -> PolicySet<'p> {
        let plain = |position: usize| NamedPolicy::new("plain", &pools.plain[position].document);
        let of_resource = |position: usize| NamedPolicy::new("resource", &pools.of_resources[position].document);
        let levels = |levels: &[Vec<usize>], of: &dyn Fn(usize) -> NamedPolicy<'p>| {
            let levels = levels.iter().map(|level| Level {
                node: "node",
                policies: level.iter().map(|position| of(*position)).collect(),
            });
            Stated::Known(levels.collect())
        };
        PolicySet {
            identity: Stated::Known(self.identity.iter().map(|position| plain(*position)).collect()),
            boundary: Stated::Known(self.boundary.map(plain)),
            session: Stated::Known(self.session.map(|position| vec![plain(position)])),
            service_control: levels(&self.service_control, &plain),
            resource_control: levels(&self.resource_control, &of_resource),
            resource: Stated::Known(self.resource_policy.map(of_resource)),
            endpoint: Stated::Known(
                self.endpoint
                    .map(|position| NamedPolicy::new("endpoint", &everybody[position].document)),
            ),
            management_account_id: self.management,
        }
    }
}

/// The plain policies with everybody as their principal, as endpoints have them.
pub(super) fn for_everybody(pools: &Pools) -> Vec<Written> {
    let with_principal = pools.plain.iter().map(|written| {
        let mut json = written.json.clone();
        for statement in json["Statement"].as_array_mut().unwrap() {
            statement["Principal"] = Value::from("*");
        }
        let document = Document::from_json(&Json::parse(&json.to_string()).unwrap()).unwrap();
        Written { json, document }
    });
    with_principal.collect()
}

/// The values that a key of requests may have.
pub(super) fn candidates(key: &str) -> Vec<Vec<String>> {
    let (_, values, ..) = KEYS.iter().find(|(name, ..)| *name == key).unwrap();
    values.iter().map(|value| vec![(*value).to_owned()]).collect()
}

pub(super) fn single_keys() -> Vec<&'static str> {
    KEYS.iter().map(|(key, ..)| *key).collect()
}

fn context(dice: &mut Dice) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::new();
    for (key, values, ..) in KEYS {
        if !dice.one_in(3) {
            context.insert((*key).to_owned(), vec![dice.pick(values).to_owned()]);
        }
    }
    for (list, like) in LISTS {
        if !dice.one_in(3) {
            let values = (0..dice.below(3)).map(|_| {
                let of_key = candidates(like);
                of_key[dice.below(of_key.len())][0].clone()
            });
            context.insert((*list).to_owned(), values.collect());
        }
    }
    context
}

fn statement(dice: &mut Dice, has_principals: bool) -> Value {
    let mut statement = Map::new();
    let denies = dice.one_in(4);
    statement.insert("Effect".to_owned(), Value::from(if denies { "Deny" } else { "Allow" }));
    if has_principals {
        let (name, principals) = principals(dice, denies);
        statement.insert(name.to_owned(), principals);
    }
    let is_broad = !denies && dice.one_in(2);
    let actions = if is_broad {
        Value::from("*")
    } else {
        dice.some(ACTIONS, 3)
    };
    let name = if dice.one_in(8) && !is_broad {
        "NotAction"
    } else {
        "Action"
    };
    statement.insert(name.to_owned(), actions);
    let resources = if is_broad {
        Value::from("*")
    } else {
        dice.some(RESOURCES, 3)
    };
    let name = if dice.one_in(8) && !is_broad {
        "NotResource"
    } else {
        "Resource"
    };
    statement.insert(name.to_owned(), resources);
    if dice.one_in(if denies { 2 } else { 3 }) {
        let mut blocks = Map::new();
        for _ in 0..=dice.below(2) {
            let (operator, keys) = block(dice);
            blocks.insert(operator, keys);
        }
        statement.insert("Condition".to_owned(), Value::from(blocks));
    }
    Value::from(statement)
}

/// A `Principal` or `NotPrincipal` element whose meaning is documented for all principals.
fn principals(dice: &mut Dice, denies: bool) -> (&'static str, Value) {
    let (kind, itself, origin, account) = dice.pick(PRINCIPALS);
    let root = format!("arn:aws:iam::{account}:root");
    if denies && dice.one_in(4) {
        let nobody = "arn:aws:iam::777788889999:user/nobody";
        let named = match kind {
            // Whoever shares the account would be named in part.
            "service" => json!({ "Service": itself }),
            _ => json!({ "AWS": [nobody] }),
        };
        return ("NotPrincipal", named);
    }
    if dice.one_in(5) {
        return (
            "Principal",
            if dice.one_in(2) {
                Value::from("*")
            } else {
                json!({ "AWS": "*" })
            },
        );
    }
    let named = match kind {
        "service" => json!({ "Service": [itself, "sns.amazonaws.com"] }),
        "anonymous" => json!({ "Federated": "cognito-identity.amazonaws.com" }),
        "root" => json!({ "AWS": if dice.one_in(2) { root.as_str() } else { account } }),
        "session" if dice.one_in(2) => json!({ "AWS": [origin] }),
        // The denial of a user is not documented for the sessions that the user federated.
        "user" if denies && account == HOME => json!({ "AWS": [root] }),
        _ => json!({ "AWS": [itself], "Service": "sns.amazonaws.com" }),
    };
    let is_open = kind == "anonymous";
    // Whether a session came from a provider is not known, so that no federated principal is asked for.
    (
        "Principal",
        if is_open {
            json!({ "Service": "sns.amazonaws.com" })
        } else {
            named
        },
    )
}

fn block(dice: &mut Dice) -> (String, Value) {
    if dice.one_in(8) {
        let (key, ..) = dice.pick(KEYS);
        return ("Null".to_owned(), json!({ key: dice.some(&["true", "false"], 1) }));
    }
    let is_list = dice.one_in(4);
    let (list, like) = dice.pick(LISTS);
    let (key, _, wanted, kind) = match is_list {
        true => *KEYS.iter().find(|(name, ..)| *name == like).unwrap(),
        false => dice.pick(KEYS),
    };
    let (_, operators) = OPERATORS.iter().find(|(name, _)| *name == kind).unwrap();
    let mut operator = dice.pick(operators).to_owned();
    if dice.one_in(5) {
        operator.push_str("IfExists");
    }
    if is_list {
        operator = format!("{}{operator}", dice.pick(&["ForAllValues:", "ForAnyValue:"]));
    } else if dice.one_in(10) {
        operator = operator.to_uppercase();
    }
    let key = if is_list { list.to_owned() } else { key.to_owned() };
    let key = if dice.one_in(4) { key.to_uppercase() } else { key };
    // ARN patterns of fewer than six parts have no documented result.
    let wanted: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|text| kind != "arn" || text.split(':').count() > 5)
        .collect();
    (operator, json!({ key: dice.some(&wanted, 3) }))
}
