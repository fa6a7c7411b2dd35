//! What a principal's policies grant, statement by statement, expanded to the actions that the facts know.
//!
//! Evaluation is careful on one side: an action counts as taken away only where every call of it must fail. A `Deny` on one
//! resource or under a condition restricts an action and takes it from nobody; a condition on an `Allow`, in a boundary or
//! in a control policy is taken to hold. So the permissions found are never smaller than the real ones.

use std::collections::BTreeMap;

use super::estate::Estate;
use super::estate::Member;
use super::snapshot::Policy;
use super::snapshot::Principal;
use crate::iam::ActionId;
use crate::iam::ActionSet;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;

/// Expands patterns, each once.
#[derive(Debug)]
pub struct Expander<'f> {
    facts: &'f Facts,
    known: BTreeMap<String, ActionSet>,
    /// Every action, in the order of the names without regard to case.
    all: Vec<ActionId>,
}

/// What a principal may do.
#[derive(Debug)]
pub struct Permissions<'a> {
    /// The principal.
    pub principal: &'a Principal,
    /// When its snapshot was taken: microseconds since 1970-01-01T00:00:00Z.
    pub taken_at: i64,
    /// Statements that allow, in the order of policies and statements.
    pub grants: Vec<Grant<'a>>,
    /// Statements that deny: of the principal's policies, its boundary and the control policies of its organization.
    pub prohibitions: Vec<Prohibition<'a>>,
    /// What its boundary lets through; `None` without a boundary.
    pub boundary: Option<ActionSet>,
    /// What the control policies of its organization let through; `None` when none are known to bind it.
    pub organization: Option<ActionSet>,
    /// The actions that some call may succeed with.
    pub effective: ActionSet,
    /// Why this is not all that it may do; empty when it is.
    pub gaps: Vec<String>,
}

/// A statement that allows.
#[derive(Debug)]
pub struct Grant<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// ARN of the group through which the policy counts.
    pub group: Option<&'a str>,
    /// Position in the document, from 1.
    pub statement_number: usize,
    /// The statement.
    pub statement: &'a Statement,
    /// The actions that it names, wildcards and `NotAction` expanded.
    pub actions: ActionSet,
    /// Patterns of it that no known action matches, in order.
    pub unknown_patterns: Vec<&'a str>,
}

/// A statement that denies.
#[derive(Debug)]
pub struct Prohibition<'a> {
    /// The policy; its kind tells whose it is.
    pub policy: &'a Policy,
    /// Position in the document, from 1.
    pub statement_number: usize,
    /// The statement.
    pub statement: &'a Statement,
    /// The actions that it names, wildcards and `NotAction` expanded.
    pub actions: ActionSet,
    /// Whether it denies every call: on all resources and without a condition.
    pub is_total: bool,
}

/// How a principal stands to an action.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'p, 'a> {
    /// A statement allows it, and nothing denies any call of it.
    Allowed,
    /// A statement allows it, and another denies some of its calls.
    Restricted(&'p Prohibition<'a>),
    /// A statement allows it, and another denies every call.
    Denied(&'p Prohibition<'a>),
    /// A statement allows it, and the boundary does not.
    OutsideBoundary,
    /// A statement allows it, and the control policies of the organization do not.
    OutsideOrganization,
    /// No statement allows it.
    NotGranted,
}

impl<'f> Expander<'f> {
    /// An expander over these facts.
    pub fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            known: BTreeMap::new(),
            all: facts.no_actions().complement().iter().collect(),
        }
    }

    /// The facts.
    pub fn facts(&self) -> &'f Facts {
        self.facts
    }

    /// The actions that a pattern matches.
    pub fn pattern(&mut self, pattern: &str) -> &ActionSet {
        let facts = self.facts;
        self.known
            .entry(pattern.to_owned())
            .or_insert_with(|| facts.expand(pattern))
    }

    /// The actions whose names begin with a text without wildcards; case does not matter.
    pub(super) fn beginning_with(&self, prefix: &str) -> &[ActionId] {
        let order = |action: &ActionId| {
            let name = self.facts.name(*action).bytes().take(prefix.len());
            let lower = |byte: u8| byte.to_ascii_lowercase();
            name.map(lower).cmp(prefix.bytes().map(lower))
        };
        let start = self.all.partition_point(|action| order(action).is_lt());
        let from = self.all.get(start..).unwrap_or_default();
        let end = from.partition_point(|action| order(action).is_eq());
        from.get(..end).unwrap_or_default()
    }

    /// The actions of an `Action` or `NotAction` element.
    pub fn scope(&mut self, scope: &Scope<OneOrMany<String>>) -> ActionSet {
        let mut named = self.facts.no_actions();
        for pattern in scope.named().texts() {
            named.extend(self.pattern(pattern));
        }
        match scope {
            Scope::Only(_) => named,
            Scope::AllBut(_) => named.complement(),
        }
    }

    /// What a principal of an estate may do.
    pub fn permissions<'a>(&mut self, estate: &Estate<'a>, member: &Member<'a>) -> Permissions<'a> {
        let mut permissions = Permissions {
            principal: member.principal,
            taken_at: member.taken_at,
            grants: Vec::new(),
            prohibitions: Vec::new(),
            boundary: None,
            organization: None,
            effective: self.facts.no_actions(),
            gaps: member.gaps(),
        };
        for used in member.policies() {
            for (statement_number, statement) in statements(used.policy, Effect::Allow) {
                if statement.resources.is_none() {
                    let place = format!("policy `{}`: statement {statement_number}", used.policy.id);
                    permissions.gaps.push(format!("{place}: element `Resource` is missing"));
                }
                permissions.grants.push(Grant {
                    policy: used.policy,
                    group: used.group,
                    statement_number,
                    statement,
                    actions: self.scope(&statement.actions),
                    unknown_patterns: self.unknown_patterns(statement),
                });
            }
            permissions.prohibitions.extend(self.prohibitions(used.policy));
        }
        for boundary in member.boundaries() {
            permissions.boundary = Some(self.let_through([boundary]));
            permissions.prohibitions.extend(self.prohibitions(boundary));
        }
        for level in estate.control_policies(member.principal).unwrap_or_default() {
            let allowed = self.let_through(level.iter().copied());
            let all = permissions.organization.get_or_insert_with(|| allowed.clone());
            all.retain(&allowed);
            let denying = level.iter().flat_map(|policy| self.prohibitions(policy));
            permissions.prohibitions.extend(denying.collect::<Vec<_>>());
        }
        permissions.evaluate();
        permissions
    }

    fn unknown_patterns<'a>(&mut self, statement: &'a Statement) -> Vec<&'a str> {
        let patterns = statement.actions.named().texts();
        patterns.filter(|pattern| self.pattern(pattern).is_empty()).collect()
    }

    fn prohibitions<'a>(&mut self, policy: &'a Policy) -> Vec<Prohibition<'a>> {
        let denying = statements(policy, Effect::Deny).map(|(statement_number, statement)| Prohibition {
            policy,
            statement_number,
            statement,
            actions: self.scope(&statement.actions),
            is_total: is_total(statement),
        });
        denying.collect()
    }

    /// Everything that one of the policies may allow; a document that cannot be read lets everything through.
    fn let_through<'a>(&mut self, policies: impl IntoIterator<Item = &'a Policy>) -> ActionSet {
        let mut allowed = self.facts.no_actions();
        for policy in policies {
            let is_complete = policy.document.as_ref().is_ok_and(Document::is_complete);
            if !is_complete {
                return self.facts.no_actions().complement();
            }
            for (_, statement) in statements(policy, Effect::Allow) {
                allowed.extend(&self.scope(&statement.actions));
            }
        }
        allowed
    }
}

impl<'a> Permissions<'a> {
    /// Whether this is all that the principal may do.
    pub fn is_known(&self) -> bool {
        self.gaps.is_empty()
    }

    /// How the principal stands to an action.
    pub fn standing(&self, action: ActionId) -> Standing<'_, 'a> {
        if !self.grants.iter().any(|grant| grant.actions.contains(action)) {
            return Standing::NotGranted;
        }
        let is_outside = |cap: &Option<ActionSet>| cap.as_ref().is_some_and(|cap| !cap.contains(action));
        let named = self.prohibitions.iter().filter(|it| it.actions.contains(action));
        let strongest = named.max_by_key(|prohibition| prohibition.is_total);
        match strongest {
            Some(prohibition) if prohibition.is_total => Standing::Denied(prohibition),
            _ if is_outside(&self.boundary) => Standing::OutsideBoundary,
            _ if is_outside(&self.organization) => Standing::OutsideOrganization,
            Some(prohibition) => Standing::Restricted(prohibition),
            None => Standing::Allowed,
        }
    }

    /// All grants, without what a cap or a prohibition takes away as a whole.
    fn evaluate(&mut self) {
        for grant in &self.grants {
            self.effective.extend(&grant.actions);
        }
        for cap in self.boundary.iter().chain(&self.organization) {
            self.effective.retain(cap);
        }
        for prohibition in self.prohibitions.iter().filter(|prohibition| prohibition.is_total) {
            self.effective.subtract(&prohibition.actions);
        }
    }
}

/// The readable statements of one effect, with their positions from 1.
fn statements(policy: &Policy, effect: Effect) -> impl Iterator<Item = (usize, &Statement)> {
    let statements = policy.document.iter().flat_map(Document::readable);
    statements
        .filter(move |(_, statement)| statement.effect == effect)
        .map(|(position, statement)| (position + 1, statement))
}

/// Whether a `Deny` leaves no call of its actions: on all resources and without a condition.
fn is_total(statement: &Statement) -> bool {
    let is_everywhere = match &statement.resources {
        Some(Scope::Only(resources)) => resources.texts().any(|resource| resource == "*"),
        Some(Scope::AllBut(_)) | None => false,
    };
    is_everywhere && statement.conditions.is_empty()
}

#[cfg(test)]
mod tests;
