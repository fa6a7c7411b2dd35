//! Tags that the Resource Groups Tagging API puts on resources of other services, or takes off them.
//!
//! "In addition to the `tag:TagResources` permission required by this operation, you must also have the tagging permission defined
//! by the service that created the resource", and for a bucket that to read its tags (API reference of the tagging API,
//! `TagResources` and `UntagResources`). Whether the service leaves an event of its own for the caller is not said.

use super::catalogue::ActionId;
use super::catalogue::Level;
use super::facts::Facts;
use super::mapping::service_of;
use super::rule::Candidate;

/// What tagging needs beside actions of the access level Tagging.
const BESIDE: [&str; 6] = [
    "apigateway:DELETE",
    "apigateway:PATCH",
    "apigateway:POST",
    "apigateway:PUT",
    "cloudformation:UpdateStack",
    "s3:GetBucketTagging",
];

/// Actions of all services of which a call may need those of the services whose resources it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tagged {
    actions: Vec<(&'static str, ActionId)>,
}

impl Tagged {
    /// None for any other operation.
    pub(super) fn of(facts: &Facts, candidate: &Candidate) -> Self {
        let is_meant = matches!(candidate.operation, "TagResources" | "UntagResources");
        if candidate.prefix != "tag" || !is_meant {
            return Self::default();
        }
        let all = facts.expand("*");
        let tags = |id: &ActionId| facts.action(*id).is_some_and(|action| action.level == Level::Tagging);
        let others = BESIDE.iter().filter_map(|name| facts.find(name));
        let actions = all.iter().filter(tags).chain(others);
        let with_service = actions.filter_map(|id| Some((facts.action(id)?.service()?, id)));
        Self {
            actions: with_service.filter(|(service, _)| *service != "tag").collect(),
        }
    }

    /// Whether the resources of a call need to be known.
    pub(super) fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The actions that a call may need for these resources; all, where none is known.
    pub(super) fn of_resources(&self, arns: &[impl AsRef<str>]) -> Vec<ActionId> {
        let services: Vec<&str> = arns.iter().filter_map(|arn| service_of(arn.as_ref())).collect();
        let is_meant = |service: &str| services.is_empty() || services.contains(&service);
        let meant = self.actions.iter().filter(|(service, _)| is_meant(service));
        meant.map(|(_, id)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(operation: &str, arns: &[&str]) -> Vec<&'static str> {
        let facts = Facts::embedded();
        let known = facts.operation("tagging.amazonaws.com", operation);
        let tagged = &known.plans.first().unwrap().tagged;
        let actions = tagged.of_resources(arns).into_iter();
        actions.map(|id| facts.name(id)).collect()
    }

    #[test]
    fn tagging_of_other_services_resources_may_need_their_own_actions() {
        let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0";
        assert_eq!(
            needed("TagResources", &[instance]),
            ["ec2:CreateTags", "ec2:DeleteTags"]
        );
        let of_bucket = needed("UntagResources", &["arn:aws:s3:::b", instance]);
        for action in ["ec2:DeleteTags", "s3:GetBucketTagging", "s3:PutBucketTagging"] {
            assert!(of_bucket.contains(&action), "{of_bucket:?}");
        }
        assert!(!of_bucket.contains(&"sqs:TagQueue"));
        assert!(needed("TagResources", &[]).contains(&"sqs:TagQueue"));
        assert!(needed("GetResources", &[instance]).is_empty());
    }
}
