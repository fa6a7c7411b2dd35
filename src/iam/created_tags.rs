//! Tags that a call puts on what it makes.
//!
//! Services ask for the permission to tag besides that of the call: S3 API reference, `CreateBucketConfiguration` ("You must have
//! the `s3:TagResource` permission to create a general purpose bucket with tags"); S3 user guide, "Creating access points with
//! tags" and "Creating vector buckets with tags". For most operations the facts say which action that is. For the others it is
//! told by the condition key of their action and by the name of the tagging one, so that it is possible and no more.

use super::catalogue::ActionId;
use super::catalogue::Level;
use super::facts::Facts;
use super::mark::marks;
use super::parameters::Parameters;
use super::rule::Candidate;

/// The condition key of actions whose calls may carry tags.
const REQUEST_TAG: &str = "aws:RequestTag/";

/// Members of requests that hold tags.
const MEMBERS: [&str; 9] = [
    "tagging",
    "tagList",
    "tags",
    "tagSet",
    "tagsList",
    "tagSpecification",
    "tagSpecifications",
    "tagSpecificationSet",
    "x-amz-tagging",
];

/// How deep such a member may stand; deeper ones are of other things.
const DEPTH: usize = 3;

/// What names of tagging actions begin and end with, around the resource that they tag.
const NAMES: [(&str, &str); 4] = [("AddTagsTo", ""), ("Create", "Tags"), ("Put", "Tagging"), ("Tag", "")];

/// Actions that put tags on something, where a call of an operation with tags may need them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CreatedTags {
    actions: Vec<ActionId>,
    /// Marks of the members' names.
    marks: u64,
}

impl CreatedTags {
    /// None where the facts know which action the operation needs for its tags, where it takes none, or does nothing else.
    pub(super) fn of(facts: &Facts, candidate: &Candidate) -> Self {
        let takes_tags = |id: &ActionId| {
            let mut keys = facts.condition_keys(*id).into_iter();
            !is_tagging(facts, *id) && keys.any(|key| key.name.starts_with(REQUEST_TAG))
        };
        let needed = || candidate.primary.iter().chain(&candidate.conditional);
        let prefix = candidate.prefix;
        let is_of_service = |id: &ActionId| facts.action(*id).is_some_and(|action| action.service() == Some(prefix));
        let mut others = needed().chain(&candidate.dependent).filter(|id| is_of_service(id));
        if !candidate.primary.iter().any(takes_tags) || others.any(|id| is_tagging(facts, *id)) {
            return Self::default();
        }
        let of_service = facts.expand(&format!("{prefix}:*"));
        let actions = of_service.iter().filter(|id| is_tagging(facts, *id));
        let actions = actions.filter(|id| tags_what_is_made(facts.name(*id), candidate.operation));
        Self {
            actions: actions.collect(),
            marks: marks(&MEMBERS),
        }
    }

    /// The actions that a request may need for its tags.
    pub(super) fn of_request(&self, request: &Parameters<'_>) -> &[ActionId] {
        let may_have_tags = !self.actions.is_empty() && request.may_have(self.marks);
        match may_have_tags && request.has_within(DEPTH, 0, &MEMBERS) {
            true => &self.actions,
            false => &[],
        }
    }
}

fn is_tagging(facts: &Facts, id: ActionId) -> bool {
    facts.action(id).is_some_and(|action| action.level == Level::Tagging)
}

/// Whether a tagging action is about any resource, or about one that the operation has in its name.
fn tags_what_is_made(action: &str, operation: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let resource = |(start, end): &(&str, &str)| name.strip_prefix(start)?.strip_suffix(end);
    let is_any = |resource: &str| matches!(resource, "" | "Resource" | "Resources");
    match name {
        "AddTags" | "CreateOrUpdateTags" => true,
        _ => NAMES
            .iter()
            .filter_map(resource)
            .any(|resource| is_any(resource) || operation.contains(resource)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagging(operation: &str, request: &str) -> Vec<&'static str> {
        let (source, name) = operation.split_once(':').unwrap();
        let facts = Facts::embedded();
        let known = facts.operation(&format!("{source}.amazonaws.com"), name);
        let plan = known.plans.first().unwrap();
        let parameters = Parameters::parse(Some(request));
        let actions = plan.created_tags.of_request(&parameters).iter();
        actions.map(|id| facts.name(*id)).collect()
    }

    #[test]
    fn call_with_tags_may_need_the_action_that_tags() {
        let tags = r#"{"bucketName":"b","CreateBucketConfiguration":{"Tags":{"Tag":[{"Key":"a","Value":"b"}]}}}"#;
        assert_eq!(
            tagging("s3:CreateBucket", tags),
            ["s3:PutBucketTagging", "s3:TagResource"]
        );
        assert_eq!(
            tagging("s3:CreateJob", r#"{"Tags":[{"key":"a"}]}"#),
            ["s3:PutJobTagging", "s3:TagResource"]
        );
        for operation in ["CreateIndex", "CreateVectorBucket"] {
            let operation = format!("s3vectors:{operation}");
            assert_eq!(tagging(&operation, r#"{"tags":{"a":"b"}}"#), ["s3vectors:TagResource"]);
        }
    }

    #[test]
    fn call_without_tags_needs_none_and_what_the_facts_know_is_left_to_them() {
        for request in [
            r#"{"bucketName":"b"}"#,
            r#"{"bucketName":"tags"}"#,
            r#"{"tags":[]}"#,
            r#"{"tags":null}"#,
            r#"{"a":{"b":{"c":{"tags":[1]}}}}"#,
        ] {
            assert!(tagging("s3:CreateBucket", request).is_empty(), "{request}");
        }
        let tags = r#"{"tags":[{"key":"a","value":"b"}],"tagSpecificationSet":{"items":[1]}}"#;
        for operation in [
            "ec2:RunInstances",
            "iam:CreateRole",
            "s3vectors:TagResource",
            "s3:ListBuckets",
        ] {
            assert!(tagging(operation, tags).is_empty(), "{operation}");
        }
    }
}
