//! `iam:PassRole` on the roles that were handed over, to the services that they trust.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Proposer;
use super::conditions::OneOf;
use super::draft::Drafts;
use super::generate::Case;
use super::resources::generalise;
use crate::iam::ActionId;
use crate::iam::document::Document;

/// The action.
pub(super) const PASS_ROLE: &str = "iam:PassRole";

impl<'s> Proposer<'s> {
    /// Adds the action to the statements through which roles were handed over.
    pub(super) fn add_passed_roles(&self, case: &Case<'_, 's>, id: ActionId, drafts: &mut Drafts) {
        const KEY: &str = "iam:PassedToService";
        let trace = case.traces.get(PASS_ROLE).filter(|trace| trace.names_all_resources());
        let mut by_services: BTreeMap<Vec<OneOf>, BTreeSet<String>> = BTreeMap::new();
        for arn in trace.into_iter().flat_map(|trace| &trace.resources) {
            let is_hint = trace.is_some_and(|trace| trace.hints.contains(arn));
            let Some((role, trusted)) = self.role_and_trust(arn, is_hint) else {
                by_services.clear();
                break;
            };
            let sources = trace.into_iter().flat_map(|trace| &trace.passed_roles);
            let sources = sources
                .filter(|(_, passed)| passed == arn)
                .map(|(source, _)| source.as_str());
            let values = receiving(&trusted, &sources.collect());
            let condition = (!values.is_empty()).then_some(OneOf { key: KEY, values });
            by_services
                .entry(condition.into_iter().collect())
                .or_default()
                .insert(role);
        }
        if by_services.is_empty() {
            case.add_used(id, None, &[], drafts);
        }
        for (conditions, roles) in by_services {
            case.add_used(id, Some(&generalise(&roles)), &conditions, drafts);
        }
    }

    /// The role behind an ARN, which may be that of an instance profile and lack the path, and the services that it trusts;
    /// `None` where no snapshot has what is not certain without one.
    fn role_and_trust(&self, arn: &str, is_hint: bool) -> Option<(String, BTreeSet<String>)> {
        let mut roles = self.evidence.estate.callers();
        let is_profile = arn.contains(":instance-profile/");
        let is_same = |known: &str| known == arn || is_hint && without_path(known) == without_path(arn);
        let role = roles.find(|role| match is_profile {
            true => role.principal.instance_profiles.iter().any(|profile| is_same(profile)),
            false => is_same(&role.principal.arn),
        });
        let Some(role) = role else {
            return (!is_profile && !is_hint).then(|| (arn.to_owned(), BTreeSet::new()));
        };
        let document = role.trust().and_then(|trust| trust.document.as_ref().ok());
        let services = document.map_or_else(BTreeSet::new, Document::trusted_services);
        Some((role.principal.arn.clone(), services))
    }
}

/// What is alike in an ARN of IAM and the name of the same in a request: all but the path.
fn without_path(arn: &str) -> Option<(&str, &str)> {
    let (head, _) = arn.split_once('/')?;
    Some((head, arn.rsplit('/').next()?))
}

/// The trusted services to which a role was handed: those that begin like the event sources, or else all.
fn receiving(trusted: &BTreeSet<String>, sources: &BTreeSet<&str>) -> BTreeSet<String> {
    let begins_like = |service: &&String| {
        let labels = sources.iter().filter_map(|source| source.split('.').next());
        labels
            .filter(|label| !label.is_empty())
            .any(|label| service.starts_with(label))
    };
    let fitting: BTreeSet<String> = trusted.iter().filter(begins_like).cloned().collect();
    match fitting.is_empty() {
        true => trusted.clone(),
        false => fitting,
    }
}
