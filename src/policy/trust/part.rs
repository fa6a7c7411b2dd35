//! The parts of a trust policy: its principals, and the values of conditions that have several.

use super::call::Asker;
use super::call::AssumeCall;
use super::call::Need;
use super::caller::Neighbourhood;
use crate::iam::arn::is_account_id;
use crate::iam::document::ConditionValue;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::PrincipalSet;
use crate::iam::document::PrincipalType;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::evaluation::Effectiveness;
use crate::policy::evaluation::NamedPolicy;
use crate::policy::evaluation::PolicySet;
use crate::policy::evaluation::Stated;
use crate::policy::evaluation::Truth;
use crate::policy::evaluation::evaluate;
use crate::policy::replay::full_access;

/// Values of conditions are looked at one by one up to so many pairs with principals.
const MAX_PAIRS: usize = 400;

/// Operators of which any one value suffices, so that each can go without the others.
const ANY_OF: [&str; 7] = [
    "arnequals",
    "arnlike",
    "ipaddress",
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
    "numericequals",
];

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// `*`: everybody.
    Everyone,
    /// Everybody but the principals that the statement names.
    AllBut,
    /// An account.
    Account,
    /// A role.
    Role,
    /// A user.
    User,
    /// One session of a role, or of a federated user.
    Session,
    /// A user or role that was deleted: nobody.
    Deleted,
    /// An AWS service.
    Service,
    /// A provider of tokens.
    Oidc,
    /// A provider of assertions.
    Saml,
    /// The S3 name of an account.
    CanonicalUser,
    /// A value of a condition.
    Value,
    /// Something else.
    Other,
}

/// Where a part stands in its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PartPlace {
    /// The whole principal element.
    Principals,
    /// A principal: position of its kind, and in its list.
    Principal(usize, usize),
    /// A value: position of the operator, of the key, and in its list.
    Value(usize, usize, usize),
}

/// A part of a trust policy.
#[derive(Debug)]
pub(super) struct Part {
    /// Position of the statement, from 1.
    pub(super) number: usize,
    pub(super) place: PartPlace,
    pub(super) kind: PartKind,
    /// The principal, or operator, key and value.
    pub(super) text: String,
    /// The statement with this part alone, once for each principal, with the principal.
    probes: Vec<(String, Document)>,
}

/// The parts of all statements that allow; none of those that cannot be read.
pub(super) fn parts_of(document: &Document) -> Vec<Part> {
    let statements = document.readable();
    let allowing = statements.filter(|(_, statement)| statement.effect == Effect::Allow);
    let parts = allowing.flat_map(|(position, statement)| {
        let number = position + 1;
        let principals = principal_parts(document, number, statement);
        let values = value_parts(document, number, statement);
        principals.into_iter().chain(values)
    });
    parts.collect()
}

impl Part {
    /// Whether a call that succeeded may have needed this part.
    pub(super) fn fits(&self, call: &AssumeCall<'_>, neighbours: &Neighbourhood<'_>) -> Truth {
        let full = full_access();
        let own = [NamedPolicy::new("", &full)];
        let probes = self.probes.iter().map(|(principal, document)| {
            let (asker, certainty) = match call.asker(principal, neighbours) {
                None => return Truth::False,
                Some(Asker::Known(asker)) => (asker, Truth::True),
                Some(Asker::Perhaps(asker)) => (asker, Truth::Unknown),
            };
            let policies = PolicySet {
                identity: Stated::Known(own.to_vec()),
                resource: Stated::Known(Some(NamedPolicy::new("", document))),
                ..PolicySet::none()
            };
            let needs = call.needs().into_iter().map(|(action, need)| {
                let request = call.request(asker.clone(), action, neighbours);
                let truth = match evaluate(&request, &policies).effectiveness() {
                    Effectiveness::Succeeds => Truth::True,
                    Effectiveness::Unknown => Truth::Unknown,
                    Effectiveness::Fails => Truth::False,
                };
                match need {
                    Need::Certain => truth,
                    Need::Possible => truth.and(Truth::Unknown),
                }
            });
            Truth::any(needs).and(certainty)
        });
        Truth::any(probes)
    }
}

impl PartKind {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::AllBut => "all-but",
            Self::Account => "account",
            Self::Role => "role",
            Self::User => "user",
            Self::Session => "session",
            Self::Deleted => "deleted",
            Self::Service => "service",
            Self::Oidc => "oidc",
            Self::Saml => "saml",
            Self::CanonicalUser => "canonical-user",
            Self::Value => "condition-value",
            Self::Other => "other",
        }
    }

    fn of(kind: PrincipalType, text: &str) -> Self {
        match kind {
            PrincipalType::Service => Self::Service,
            PrincipalType::CanonicalUser => Self::CanonicalUser,
            PrincipalType::Federated if text.contains(":saml-provider/") => Self::Saml,
            PrincipalType::Federated => Self::Oidc,
            PrincipalType::Aws if text == "*" => Self::Everyone,
            PrincipalType::Aws if is_account_id(text) || text.ends_with(":root") => Self::Account,
            PrincipalType::Aws if text.contains(":role/") => Self::Role,
            PrincipalType::Aws if text.contains(":user/") => Self::User,
            PrincipalType::Aws if text.contains(":assumed-role/") || text.contains(":federated-user/") => Self::Session,
            PrincipalType::Aws if text.starts_with("AROA") || text.starts_with("AIDA") => Self::Deleted,
            PrincipalType::Aws => Self::Other,
        }
    }
}

/// The statement alone, in a document that is otherwise the same.
fn alone(document: &Document, statement: Statement) -> Document {
    let mut alone = Document::of(vec![statement]);
    alone.version = document.version;
    alone
}

fn principal_parts(document: &Document, number: usize, statement: &Statement) -> Vec<Part> {
    let whole = |kind: PartKind, text: String| {
        vec![Part {
            number,
            place: PartPlace::Principals,
            kind,
            text,
            probes: vec![("*".to_owned(), alone(document, statement.clone()))],
        }]
    };
    match &statement.principals {
        None => Vec::new(),
        Some(Scope::Only(PrincipalSet::Everyone)) => whole(PartKind::Everyone, "*".to_owned()),
        Some(Scope::AllBut(set)) => whole(PartKind::AllBut, set_text(set)),
        Some(Scope::Only(PrincipalSet::Named(named))) => {
            let parts = each_principal(named).map(|(place, kind, text)| Part {
                number,
                place,
                kind: PartKind::of(kind, text),
                text: text.to_owned(),
                probes: vec![(text.to_owned(), alone(document, with_principal(statement, kind, text)))],
            });
            parts.collect()
        }
    }
}

fn set_text(set: &PrincipalSet) -> String {
    match set {
        PrincipalSet::Everyone => "*".to_owned(),
        PrincipalSet::Named(named) => {
            let texts: Vec<&str> = named.iter().flat_map(|(_, texts)| texts.texts()).collect();
            texts.join(", ")
        }
    }
}

type Named = [(PrincipalType, OneOrMany<String>)];

fn each_principal(named: &Named) -> impl Iterator<Item = (PartPlace, PrincipalType, &str)> {
    named.iter().enumerate().flat_map(|(position, (kind, texts))| {
        let texts = texts.texts().enumerate();
        texts.map(move |(index, text)| (PartPlace::Principal(position, index), *kind, text))
    })
}

fn with_principal(statement: &Statement, kind: PrincipalType, text: &str) -> Statement {
    let mut other = statement.clone();
    let only = vec![(kind, OneOrMany::One(text.to_owned()))];
    other.principals = Some(Scope::Only(PrincipalSet::Named(only)));
    other
}

fn value_parts(document: &Document, number: usize, statement: &Statement) -> Vec<Part> {
    // Every principal with the statement for it alone.
    let single: Vec<(String, Statement)> = match &statement.principals {
        Some(Scope::Only(PrincipalSet::Named(named))) => each_principal(named)
            .map(|(_, kind, text)| (text.to_owned(), with_principal(statement, kind, text)))
            .collect(),
        _ => vec![("*".to_owned(), statement.clone())],
    };
    let mut parts = Vec::new();
    for (block_index, block) in statement.conditions.iter().enumerate() {
        let operator = block.operator.to_ascii_lowercase();
        let plain = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        if !ANY_OF.contains(&plain) {
            continue;
        }
        for (key_index, (key, values)) in block.keys.iter().enumerate() {
            let count = values.as_slice().len();
            if count < 2 || count * single.len() > MAX_PAIRS {
                continue;
            }
            for (value_index, value) in values.as_slice().iter().enumerate() {
                let place = PartPlace::Value(block_index, key_index, value_index);
                let probes = single.iter().map(|(principal, statement)| {
                    let left = with_value(statement, (block_index, key_index), value);
                    (principal.clone(), alone(document, left))
                });
                parts.push(Part {
                    number,
                    place,
                    kind: PartKind::Value,
                    text: format!("{} {key} {}", block.operator, value_text(value)),
                    probes: probes.collect(),
                });
            }
        }
    }
    parts
}

fn with_value(statement: &Statement, (block, key): (usize, usize), value: &ConditionValue) -> Statement {
    let mut other = statement.clone();
    let keys = other.conditions.get_mut(block).map(|block| &mut block.keys);
    if let Some((_, values)) = keys.and_then(|keys| keys.get_mut(key)) {
        *values = OneOrMany::One(value.clone());
    }
    other
}

fn value_text(value: &ConditionValue) -> String {
    match value {
        ConditionValue::Text(text) => text.clone(),
        ConditionValue::Number(number) => number.to_string(),
        ConditionValue::Bool(truth) => truth.to_string(),
    }
}
