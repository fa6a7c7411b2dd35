//! The statements of a generated policy while they are gathered.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::conditions;
use super::conditions::OneOf;
use super::conditions::modernised;
use super::fit;
use super::reasons::StatementReasons;
use super::resources::listed;
use crate::iam::ActionId;
use crate::iam::ActionSet;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::iam::document::Version;
use crate::policy::estate::Member;
use crate::policy::grant::Expander;
use crate::policy::grant::Grant;
use crate::policy::snapshot::Policy;
use crate::policy::trim::Wording;
use crate::policy::trim::policy_characters;
use crate::policy::trim::trim;

/// Why actions are in a generated policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ground {
    /// They were used.
    Used,
    /// Calls that succeeded may have needed them.
    Inferred,
    /// Nothing can be said about their use.
    Unknown,
    /// The allow-list keeps them.
    Kept,
}

/// What makes actions stand in one statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) ground: Ground,
    /// Position of the present statement among the grants.
    pub(super) grant: usize,
    /// Resources; `None` for those of the present statement.
    pub(super) resources: Option<BTreeSet<String>>,
    pub(super) conditions: Vec<OneOf>,
}

/// Actions by the statement that they are to stand in.
pub(super) type Drafts = BTreeMap<Key, BTreeSet<ActionId>>;

impl Ground {
    fn sid(self, number: usize) -> String {
        let name = match self {
            Self::Used => "Used",
            Self::Inferred => "Inferred",
            Self::Unknown => "Unknown",
            Self::Kept => "Kept",
        };
        format!("{name}{number}")
    }
}

/// Whether the policy's document is of the language version that has variables.
pub(super) fn is_2012(policy: &Policy) -> bool {
    let version = policy.document.as_ref().ok().and_then(|document| document.version);
    version == Some(Version::Of2012)
}

/// The statement of a draft.
pub(super) fn statement(
    key: &Key,
    (grant, number): (&Grant<'_>, usize),
    actions: &BTreeSet<ActionId>,
    wording: Wording,
    expander: &mut Expander<'_>,
) -> Option<Statement> {
    let mut statement = modernised(grant.statement, is_2012(grant.policy));
    match key.ground {
        Ground::Used | Ground::Inferred => {
            let facts = expander.facts();
            statement.actions = Scope::Only(listed(actions.iter().map(|id| facts.name(*id).to_owned())));
        }
        Ground::Unknown | Ground::Kept => {
            let mut removable = grant.actions.clone();
            removable.subtract(&set(actions, expander.facts()));
            let document = Document::of(vec![statement.clone()]);
            let removable = BTreeMap::from([(1, removable)]);
            let mut trimmed = trim(&document, &removable, Wording::Names, expander);
            if policy_characters(&trimmed.document) > fit::MANAGED / 2 {
                trimmed = trim(&document, &removable, wording, expander);
            }
            let (_, left) = trimmed.document.readable().next()?;
            statement = left.clone();
        }
    }
    if let Some(resources) = &key.resources {
        statement.resources = Some(Scope::Only(listed(resources.iter().cloned())));
    }
    conditions::add(&mut statement, &key.conditions);
    let mut new = Statement::new(statement.effect, statement.actions);
    new.sid = Some(key.ground.sid(number));
    new.resources = statement.resources;
    new.conditions = statement.conditions;
    Some(new)
}

fn set(actions: &BTreeSet<ActionId>, facts: &Facts) -> ActionSet {
    let mut set = facts.no_actions();
    actions.iter().for_each(|action| set.insert(*action));
    set
}

/// The statements of a principal's own policies and its groups' that deny, each once.
pub(super) fn denying(member: &Member<'_>) -> Vec<(Statement, StatementReasons)> {
    let mut denying: Vec<(Statement, StatementReasons)> = Vec::new();
    for used in member.policies() {
        for (position, present) in used.policy.document.iter().flat_map(Document::readable) {
            if present.effect != Effect::Deny {
                continue;
            }
            let mut statement = modernised(present, is_2012(used.policy));
            statement.sid = Some(format!("Deny{}", denying.len() + 1));
            let is_known = |(known, _): &(Statement, StatementReasons)| is_same(known, &statement);
            if denying.iter().any(is_known) {
                continue;
            }
            let reasons = StatementReasons {
                present_number: Some(position + 1),
                present_policy: Some(used.policy.id.clone()),
                sid: present.sid.clone(),
                remarks: vec!["it denies, and stays as it stands".to_owned()],
                ..StatementReasons::default()
            };
            denying.push((statement, reasons));
        }
    }
    denying
}

/// Whether two statements say the same under different names.
pub(super) fn is_same(one: &Statement, other: &Statement) -> bool {
    let unnamed = |statement: &Statement| {
        let mut unnamed = statement.clone();
        unnamed.sid = None;
        unnamed
    };
    unnamed(one).to_value() == unnamed(other).to_value()
}

/// What several policies say, as one document.
pub(super) fn merged(policies: &[&Policy]) -> Document {
    let mut merged = Document::of(Vec::new());
    let documents = policies.iter().filter_map(|policy| policy.document.as_ref().ok());
    let entries = documents.flat_map(|document| document.statements.as_slice().iter().cloned());
    merged.statements = OneOrMany::Many(entries.collect());
    merged
}
