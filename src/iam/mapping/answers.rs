//! Actions of a few operations that neither the facts nor the parameters alone tell: what an answer of S3 says of the rights of the
//! caller, and messages that SES authorises as another operation.

use std::borrow::Cow;

use super::Mapping;
use crate::iam::outcome::Class;
use crate::iam::outcome::Proof;
use crate::iam::outcome::ResourceOrigin;
use crate::iam::outcome::UsedAction;
use crate::iam::outcome::UsedResource;
use crate::iam::plan::ActionPlan;
use crate::iam::plan::CandidatePlan;

/// Member of `content` in `SendEmail` of the second version of SES.
const RAW_MESSAGE: &str = "raw";

impl<'a> Mapping<'_, 'a> {
    /// S3 says that an object is not there only to callers who may list the bucket; to others it denies access.
    pub(super) fn add_listing(&self, actions: &mut Vec<UsedAction<'a>>, plan: &CandidatePlan) {
        let code = self.call.error_code.unwrap_or_default();
        // The answer to a head has no body that could name the error, and SDKs ask with heads before they read or copy.
        let is_of_head = matches!(code, "NotFound" | "404")
            && matches!(self.call.event_name, "GetObject" | "HeadObject" | "CopyObject");
        let is_told = plan.candidate.prefix == "s3" && (code == "NoSuchKey" || is_of_head);
        let listing = is_told.then(|| self.facts.find("s3:ListBucket"));
        let Some(id) = listing.flatten() else {
            return;
        };
        let mut arns = self.call.resource_arns.iter();
        let bucket = arns.find_map(|arn| arn.starts_with("arn:").then(|| arn.split('/').next())?);
        actions.push(UsedAction {
            resources: bucket
                .map(|arn| UsedResource {
                    arn: Cow::Borrowed(arn),
                    resource_type: "bucket",
                    origin: ResourceOrigin::Record,
                })
                .into_iter()
                .collect(),
            ..self.unused(id, Class::Dependent, Proof::Answer)
        });
    }

    /// The refusals of SES name `ses:SendRawEmail` for raw messages of either version of its API; nothing says that it asks for
    /// `ses:SendEmail` besides.
    pub(super) fn proof_of_primary(&self, action: &ActionPlan) -> Proof {
        match action.name == "ses:SendEmail" && self.request.parameters().has(RAW_MESSAGE) {
            true => Proof::Possible,
            false => Proof::Call,
        }
    }
}
