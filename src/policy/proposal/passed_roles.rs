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

/// Event sources whose calls hand roles to services of other names, with all that they hand them to, the most likely first.
const RECEIVERS: &[(&str, &[&str])] = &[
    ("autoscaling", &["ec2.amazonaws.com", "autoscaling.amazonaws.com"]),
    ("batch", &["ecs-tasks.amazonaws.com", "batch.amazonaws.com"]),
    ("ecs", &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"]),
];

/// The services to which a role was handed, as the calls say; where they do not, the trusted services with a label that begins
/// like an event source. Empty where a call of one source fits nothing: a trust policy that was changed since must not
/// forbid what was done.
fn receiving(trusted: &BTreeSet<String>, sources: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    for source in sources {
        let label = source.split('.').next().filter(|label| !label.is_empty());
        let told = RECEIVERS.iter().find(|(known, _)| label == Some(known));
        let begins_like = |service: &&String| {
            let mut labels = service.trim_end_matches(".amazonaws.com").split('.');
            labels.any(|own| label.is_some_and(|label| own.starts_with(label)))
        };
        let found: BTreeSet<String> = match told {
            Some((_, told)) => {
                let is_likely = told.first().is_some_and(|likely| trusted.contains(*likely));
                let told = told.iter().map(|service| (*service).to_owned());
                told.filter(|service| !is_likely || trusted.contains(service)).collect()
            }
            None => trusted.iter().filter(begins_like).cloned().collect(),
        };
        if found.is_empty() {
            return BTreeSet::new();
        }
        services.extend(found);
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_that_changed_since_contradicts_no_call() {
        let told = |trusted: &str, source: &str| -> Vec<String> {
            let trusted = BTreeSet::from([format!("{trusted}.amazonaws.com")]);
            let source = format!("{source}.amazonaws.com");
            receiving(&trusted, &BTreeSet::from([source.as_str()]))
                .into_iter()
                .collect()
        };
        let both = ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"];
        assert_eq!(told("ec2", "ecs"), both);
        assert_eq!(told("ecs", "ecs"), both);
        assert_eq!(told("ecs-tasks", "ecs"), ["ecs-tasks.amazonaws.com"]);
        assert_eq!(told("monitoring.rds", "rds"), ["monitoring.rds.amazonaws.com"]);
        assert!(told("ec2", "lambda").is_empty());
    }
}
