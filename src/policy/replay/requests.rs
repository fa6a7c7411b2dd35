//! The requests of a call: which resources it was about, and with which condition keys.

use std::collections::BTreeSet;

use super::CallNeed;
use super::Replay;
use super::ReplayedCall;
use super::profile::Profile;
use super::profile::is_profile;
use crate::iam::Level;
use crate::iam::json::Json;
use crate::policy::compared::compared;
use crate::policy::compared::compared_without_request;
use crate::policy::evaluation::KeyState;
use crate::policy::evaluation::RecordFields;
use crate::policy::evaluation::Request;
use crate::policy::evaluation::RequestedAction;
use crate::policy::evaluation::Resource;
use crate::policy::evaluation::ResourceName;
use crate::policy::evaluation::context_of_asked;
use crate::policy::evaluation::kind_of_arn;
use crate::policy::evaluation::tagged_kinds;

/// Key that requests for models have which come through an inference profile (Bedrock user guide, "Prerequisites for inference
/// profiles").
const PROFILE_KEY: &str = "bedrock:InferenceProfileArn";

/// What takes the requests, each with the resource as the record names it.
type Judge<'j, 'c> = dyn FnMut(Option<&'c str>, &Request) + 'j;

impl Replay<'_> {
    /// One request for each resource that the record names, and for each kind of thing that the call makes with tags.
    pub(super) fn each_request<'c>(
        &self,
        call: &ReplayedCall<'c>,
        need: &CallNeed<'c>,
        fields: &RecordFields<'_>,
        judge: &mut Judge<'_, 'c>,
    ) {
        let action = RequestedAction {
            name: need.action,
            takes_tags: self.takes_tags(fields, need.action),
        };
        let is_direct = |id: &str| !is_profile(id) && call.inference_region.is_none();
        let is_direct = call.model_id.is_some_and(is_direct);
        let context = |fields: &RecordFields<'_>| {
            let mut keys = context_of_asked(fields, action, &self.asked.keys);
            if is_direct {
                keys.set(PROFILE_KEY, KeyState::Absent);
            }
            keys
        };
        let mut request = Request {
            principal: call.principal(),
            action: need.action.to_owned(),
            resource: Resource {
                name: self.without_name(need),
                account_id: None,
            },
            context: context(fields),
        };
        if need.resources.is_empty() {
            self.ownership.add_keys(&mut request);
            judge(None, &request);
        }
        let is_request_known = matches!(fields.request_parameters, Some(Json::Object(_)));
        for (arn, is_proof) in &need.resources {
            // An ARN that is made of names may lack a path, an account or a version; an instance profile is not the role
            // in it, which is what is passed.
            let is_other = need.action == "iam:PassRole" && !arn.contains(":role/");
            request.resource.name = match *is_proof && !is_other {
                true if is_request_known => compared(need.action, arn),
                true => compared_without_request(need.action, arn),
                false => ResourceName::Unknown,
            };
            let has_owners = self.asked.parts.has_owners();
            request.resource.account_id = has_owners.then(|| call.owner_of(arn)).flatten();
            // Tags of a new resource, and its owner, are of this one only.
            if fields.request_parameters.is_some() || has_owners {
                let fields = RecordFields {
                    resource_arn: Some(arn),
                    ..*fields
                };
                request.context = context(&fields);
            }
            self.ownership.add_keys(&mut request);
            judge(Some(arn), &request);
        }
        self.each_made(need, action, fields, (&request, judge));
        if let Some(profile) = Profile::of(call, need) {
            self.each_routed(&profile, action, fields, (&request, judge));
        }
    }

    /// Requests for the model behind an inference profile, one for each place to which the profile routes.
    fn each_routed<'c>(
        &self,
        profile: &Profile,
        action: RequestedAction<'_>,
        fields: &RecordFields<'_>,
        (like, judge): (&Request, &mut Judge<'_, 'c>),
    ) {
        for route in &profile.routes {
            let fields = RecordFields {
                aws_region: route.region.as_deref(),
                ..*fields
            };
            let mut request = Request {
                resource: Resource {
                    name: ResourceName::Like(route.models.clone()),
                    // No account has models of AWS, so that its policies decide alone.
                    account_id: like.principal.account_id().map(str::to_owned),
                },
                context: context_of_asked(&fields, action, &self.asked.keys),
                ..like.clone()
            };
            let arn = profile.arn.clone().map(|arn| KeyState::Present(vec![arn]));
            request.context.set(PROFILE_KEY, arn.unwrap_or(KeyState::ValueUnknown));
            self.ownership.add_keys(&mut request);
            judge(None, &request);
        }
    }

    /// One request for each kind of thing that the call makes with tags and of which the record names none. EC2 authorises an
    /// action on each resource, with the tags that this one gets (EC2 user guide, "Grant permission to tag Amazon EC2
    /// resources during creation"; service authorization reference, `RunInstances`).
    fn each_made<'c>(
        &self,
        need: &CallNeed<'c>,
        action: RequestedAction<'_>,
        fields: &RecordFields<'_>,
        (like, judge): (&Request, &mut Judge<'_, 'c>),
    ) {
        if !self.asked.has_request_tags || action.takes_tags != Some(true) {
            return;
        }
        let named: BTreeSet<&str> = need.resources.iter().filter_map(|(arn, _)| kind_of_arn(arn)).collect();
        let kinds = fields.request_parameters.map(tagged_kinds).unwrap_or_default();
        for kind in kinds.difference(&named) {
            let takes_tags = self.may_make(need.action, kind);
            let action = RequestedAction { takes_tags, ..action };
            let arn = format!("arn:aws:ec2:::{kind}/");
            let fields = RecordFields {
                resource_arn: Some(&arn),
                ..*fields
            };
            let mut request = Request {
                resource: Resource {
                    name: ResourceName::Unknown,
                    // What a call makes is its caller's.
                    account_id: like.principal.account_id().map(str::to_owned),
                },
                context: context_of_asked(&fields, action, &self.asked.keys),
                ..like.clone()
            };
            self.ownership.add_keys(&mut request);
            judge(None, &request);
        }
    }

    /// Whether an action is about things of a kind, so that their tags are tags of a request for it; `None` if that is not
    /// known, as the reference does not list the kind.
    fn may_make(&self, action: &str, kind: &str) -> Option<bool> {
        let uses = self.facts.find(action).map(|id| self.facts.resource_uses(id));
        let is_listed = uses?.iter().any(|it| kind_of_arn(it.arn_format) == Some(kind));
        is_listed.then_some(true)
    }

    /// Whether the tags in a call are tags of the request for one of its actions: for the action of the call itself and for
    /// those that put tags on things. A role that is passed with the call gets none of them.
    fn takes_tags(&self, fields: &RecordFields<'_>, action: &str) -> Option<bool> {
        if !self.asked.has_request_tags {
            return Some(true);
        }
        let Some(id) = self.facts.find(action) else {
            return Some(true);
        };
        let is_tagging = self.facts.action(id).is_some_and(|known| known.level == Level::Tagging);
        if is_tagging
            || self
                .facts
                .operation(fields.event_source, fields.event_name)
                .is_primary(id)
        {
            return Some(true);
        }
        let keys = self.facts.condition_keys(id);
        // Whether another action that may ask for tags gets them is nowhere said.
        (!keys.iter().any(|key| key.name.starts_with("aws:RequestTag/"))).then_some(false)
    }

    /// What an action without a named resource is about.
    fn without_name(&self, need: &CallNeed<'_>) -> ResourceName {
        let find = || self.facts.find(need.action);
        let id = need.resources.is_empty().then(find).flatten();
        match id.is_some_and(|id| self.facts.resource_uses(id).is_empty()) {
            true => ResourceName::Unnamed,
            false => ResourceName::Unknown,
        }
    }
}
