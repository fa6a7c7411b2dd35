//! Roles that AWS services take: what these do with them may leave no event of the role.

use super::judge::Judge;
use super::reason::Reason;
use super::visibility::Trace;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::PrincipalSet;
use crate::iam::document::PrincipalType;
use crate::iam::document::Scope;
use crate::iam::document::Statement;

impl Judge<'_> {
    /// Why a service that may take the role may have used an action unseen.
    pub(super) fn service_doubt(&self, trace: &Trace) -> Option<Reason> {
        if trace.service_uses.is_empty() || !self.subject.key.arn.contains(":role/") {
            return None;
        }
        let trust = self.subject.member?.trust().map(|policy| &policy.document);
        let mut uses = trace.service_uses.iter();
        let found = uses.find(|it| match trust {
            Some(Ok(document)) => may_be_taken_by(document, it.service),
            // Nothing tells who may take the role.
            Some(Err(_)) | None => true,
        });
        found.map(|it| Reason::UsedByService(it.why))
    }
}

/// Whether a trust policy may let in a service, by the first label of its principal, as `lambda` of `lambda.amazonaws.com`.
fn may_be_taken_by(trust: &Document, service: &str) -> bool {
    let mut allowing = trust.readable().filter(|(_, it)| it.effect == Effect::Allow);
    let is_open = |statement: &Statement| match &statement.principals {
        Some(Scope::Only(PrincipalSet::Named(named))) => named.iter().any(|(kind, names)| {
            // The same as `"*"`: reference of the IAM policy elements, `Principal`.
            *kind == PrincipalType::Aws && names.texts().any(|name| name == "*")
        }),
        _ => true,
    };
    let mut trusted = trust.trusted_services().into_iter();
    !trust.is_complete()
        || allowing.any(|(_, statement)| is_open(statement))
        || trusted.any(|name| name == "*" || name.split('.').next() == Some(service))
}
