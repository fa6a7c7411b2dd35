//! What proposed policies of one layer make of one request that succeeded.

use std::collections::BTreeSet;

use super::CallNeed;
use super::NeedKind;
use super::ReplayedCall;
use crate::iam::action_matches;
use crate::iam::arn::is_service_linked;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Entry;
use crate::iam::document::OneOrMany;
use crate::iam::document::PrincipalSet;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::evaluation::Decision;
use crate::policy::evaluation::Effectiveness;
use crate::policy::evaluation::Layer;
use crate::policy::evaluation::NamedPolicy;
use crate::policy::evaluation::Request;
use crate::policy::evaluation::ResourceName;
use crate::policy::evaluation::evaluate_layer;

/// Policies that are tried in the place of others.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    /// Where they would count.
    pub layer: Layer,
    /// The proposed ones.
    pub proposed: Vec<NamedPolicy<'a>>,
    /// Those in whose place they come.
    pub present: Vec<NamedPolicy<'a>>,
}

/// What would have become of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consequence {
    /// It would have failed; why.
    Denied(String),
    /// It cannot be known; what is missing.
    Unknown(BTreeSet<String>),
    /// The present policies of the identity do not grant it, and the proposed ones change nothing in that: something else did.
    Unexplained,
    /// It would have succeeded all the same.
    Stays,
}

/// A document that allows everything.
pub fn full_access() -> Document {
    let all = || Scope::Only(OneOrMany::One("*".to_owned()));
    let mut statement = Statement::new(Effect::Allow, all());
    statement.resources = Some(all());
    Document::of(vec![statement])
}

/// The same as a policy of resources: to everybody.
pub fn full_access_to_resources() -> Document {
    let all = || Scope::Only(OneOrMany::One("*".to_owned()));
    let mut statement = Statement::new(Effect::Allow, all());
    statement.principals = Some(Scope::Only(PrincipalSet::Everyone));
    statement.resources = Some(all());
    Document::of(vec![statement])
}

impl Trial<'_> {
    /// Whether the policies have a say in the calls of a principal: control policies do not bind roles of services, and "you
    /// cannot set the boundary for a service-linked role" (IAM API reference, `PutRolePermissionsBoundary`).
    pub(super) fn binds(&self, call: &ReplayedCall<'_>) -> bool {
        let is_role_of_service = is_service_linked(call.principal_arn);
        let is_root = call.principal_arn.ends_with(":root");
        match self.layer {
            Layer::ServiceControl(_) | Layer::ResourceControl(_) => !is_role_of_service,
            Layer::Boundary => !is_role_of_service && !is_root,
            _ => !is_root,
        }
    }

    /// Whether the policies are those of one user or role.
    pub(super) fn is_of_identity(&self) -> bool {
        matches!(self.layer, Layer::Identity | Layer::Boundary)
    }

    /// What becomes of a request that succeeded; `grants` are the present policies of the identity, if all are known.
    pub(super) fn judge(&self, request: &Request, grants: Option<&[NamedPolicy<'_>]>) -> Consequence {
        // What grants the request is no question to control policies.
        let grants = grants.filter(|_| self.is_of_identity());
        let granted = grants.map(|grants| evaluate_layer(request, Layer::Identity, grants));
        let is_unexplained = matches!(&granted, Some(decision) if decision.effectiveness() == Effectiveness::Fails);
        let otherwise = match is_unexplained {
            true => Consequence::Unexplained,
            false => Consequence::Stays,
        };
        let decision = evaluate_layer(request, self.layer, &self.proposed);
        let decision = match decision {
            Decision::Unknown { .. } => match self.is_allowed_by_twins(request) {
                true => return otherwise,
                false => self.without_twin_denials(request).unwrap_or(decision),
            },
            decided => decided,
        };
        let is_denied_now = matches!(granted, Some(Decision::ExplicitlyDenied { .. }));
        let is_boundary = self.layer == Layer::Boundary;
        match &decision {
            Decision::Allowed { .. } => otherwise,
            Decision::ImplicitlyDenied { .. } if is_unexplained && is_boundary => left_to_the_resource(),
            Decision::ImplicitlyDenied { .. } if is_unexplained && self.loses_a_grant(request, grants) => other_name(),
            Decision::ImplicitlyDenied { .. } if is_unexplained => otherwise,
            Decision::ExplicitlyDenied { .. } if is_denied_now && !is_boundary => otherwise,
            Decision::ImplicitlyDenied { .. } | Decision::ExplicitlyDenied { .. } => {
                Consequence::Denied(decision.to_string())
            }
            Decision::Unknown { missing } => Consequence::Unknown(missing.iter().map(ToString::to_string).collect()),
        }
    }

    /// Whether the present policies of the identity grant the action on some resource, by a statement that the proposed ones lack:
    /// IAM may compare another name than the one that the record has.
    fn loses_a_grant(&self, request: &Request, grants: Option<&[NamedPolicy<'_>]>) -> bool {
        if request.resource.name.is_nothing() {
            return false;
        }
        let mut on_any = request.clone();
        on_any.resource.name = ResourceName::Unknown;
        let granted = grants.map(|grants| evaluate_layer(&on_any, Layer::Identity, grants));
        let is_granted = granted.is_some_and(|decision| decision.effectiveness() != Effectiveness::Fails);
        is_granted && !self.is_allowed_by_twins(&on_any)
    }

    /// Whether the statements that may have allowed the request are all among the proposed ones, and no new one may deny it.
    ///
    /// One of them did allow it, or something beside the policies of this layer did; either way it goes on.
    fn is_allowed_by_twins(&self, request: &Request) -> bool {
        if self.present.is_empty() {
            return false;
        }
        let has_twin = |document: &Document, statement: &Statement| {
            self.statements().any(|(other, twin)| {
                twin.effect == Effect::Allow
                    && other.version == document.version
                    && twin.resources == statement.resources
                    && twin.conditions == statement.conditions
                    && names(twin, &request.action)
            })
        };
        let others = filtered(&self.present, |document, statement| {
            statement.effect == Effect::Allow && !has_twin(document, statement)
        });
        let is_by_others = evaluate_layer(request, self.layer, &named(&self.present, &others));
        let is_by_twins = matches!(is_by_others, Decision::ImplicitlyDenied { .. });
        is_by_twins && !self.may_deny_anew(request)
    }

    /// Whether a proposed statement that is not a present one may deny the request.
    fn may_deny_anew(&self, request: &Request) -> bool {
        let denials = filtered(&self.proposed, |document, statement| {
            statement.effect == Effect::Deny && !self.is_present_denial(document, statement)
        });
        let all = full_access();
        let mut policies = named(&self.proposed, &denials);
        policies.push(NamedPolicy::new("", &all));
        evaluate_layer(request, self.layer, &policies).effectiveness() != Effectiveness::Succeeds
    }

    /// What the proposed policies say without statements that deny and stand in the present ones, too: as the request
    /// succeeded, those did not hit it. `None` if that is still unknown.
    fn without_twin_denials(&self, request: &Request) -> Option<Decision<'static>> {
        let rest = filtered(&self.proposed, |document, statement| {
            statement.effect == Effect::Allow || !self.is_present_denial(document, statement)
        });
        match evaluate_layer(request, self.layer, &named(&self.proposed, &rest)) {
            Decision::Allowed { .. } => Some(Decision::Allowed { by: None }),
            Decision::ImplicitlyDenied { at } => Some(Decision::ImplicitlyDenied { at }),
            Decision::ExplicitlyDenied { .. } | Decision::Unknown { .. } => None,
        }
    }

    fn is_present_denial(&self, document: &Document, statement: &Statement) -> bool {
        let present = self.present.iter().filter_map(|policy| policy.document);
        let present = present.filter(|other| other.version == document.version);
        let mut statements = present.flat_map(|other| other.readable().map(|(_, statement)| statement));
        statements.any(|other| {
            other.effect == Effect::Deny
                && other.actions == statement.actions
                && other.resources == statement.resources
                && other.conditions == statement.conditions
        })
    }

    fn statements(&self) -> impl Iterator<Item = (&Document, &Statement)> {
        let documents = self.proposed.iter().filter_map(|policy| policy.document);
        documents.flat_map(|document| document.readable().map(move |(_, statement)| (document, statement)))
    }
}

impl Consequence {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Unknown(_) => "unknown",
            Self::Unexplained => "unexplained",
            Self::Stays => "unchanged",
        }
    }

    /// Why, or what is missing.
    pub fn reason(&self) -> String {
        match self {
            Self::Denied(reason) => reason.clone(),
            Self::Unknown(missing) => {
                let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
                missing.join("; ")
            }
            Self::Unexplained => "the present identity policies do not grant it".to_owned(),
            Self::Stays => String::new(),
        }
    }

    /// The same for an action that the call may not have needed. One that the identity is not granted was not needed, unless
    /// the policy of the resource grants it. Policies of KMS keys do: "Every KMS key must have exactly one key policy" (KMS
    /// developer guide).
    pub(super) fn for_need(self, need: &CallNeed<'_>) -> Self {
        let is_of_key = need.action.starts_with("kms:");
        match (need.kind, self) {
            (NeedKind::Possible, Self::Unexplained) => Self::Stays,
            (NeedKind::Possible, consequence) if consequence == other_name() => Self::Stays,
            (NeedKind::Possible, consequence) if consequence == left_to_the_resource() && !is_of_key => Self::Stays,
            (NeedKind::Possible, Self::Denied(_)) => {
                Self::Unknown(BTreeSet::from([format!("whether the call needs `{}`", need.action)]))
            }
            (_, consequence) => consequence,
        }
    }
}

/// What becomes of a request that neither a boundary nor the policies of the identity allow.
///
/// "Resource-based policies that grant permissions to an IAM role ARN are limited by an implicit deny in a permissions
/// boundary or session policy"; those that name a user, or the session of a role, are not (IAM user guide, "Permissions
/// boundaries for IAM entities"). And a grant of the identity that was taken away since would have been limited.
fn left_to_the_resource() -> Consequence {
    Consequence::Unknown(BTreeSet::from([
        "what allowed it beside the identity policies: a boundary limits what a policy of a resource grants to a role"
            .to_owned(),
    ]))
}

/// What becomes of a request that the identity is granted on other resources, if the proposed policies lack such a grant.
fn other_name() -> Consequence {
    Consequence::Unknown(BTreeSet::from([
        "whether a present statement about other resources allowed it: IAM may compare another name than the record has"
            .to_owned(),
    ]))
}

/// The documents with the statements that are wanted, and those that cannot be read.
fn filtered(policies: &[NamedPolicy<'_>], is_wanted: impl Fn(&Document, &Statement) -> bool) -> Vec<Option<Document>> {
    let documents = policies.iter().map(|policy| {
        let mut document = policy.document?.clone();
        let entries = document.statements.as_slice().iter().filter(|entry| match entry {
            Entry::Readable(statement) => is_wanted(&document, statement),
            Entry::Unreadable { .. } => true,
        });
        document.statements = OneOrMany::Many(entries.cloned().collect());
        Some(document)
    });
    documents.collect()
}

fn named<'d>(policies: &'d [NamedPolicy<'_>], documents: &'d [Option<Document>]) -> Vec<NamedPolicy<'d>> {
    let pairs = policies.iter().zip(documents);
    let named = pairs.map(|(policy, document)| NamedPolicy {
        name: policy.name,
        document: document.as_ref(),
    });
    named.collect()
}

fn names(statement: &Statement, action: &str) -> bool {
    let mut patterns = statement.actions.named().texts();
    patterns.any(|pattern| action_matches(pattern, action)) != statement.actions.is_negated()
}
