//! Models of Bedrock that are invoked through inference profiles.

use super::CallNeed;
use super::ReplayedCall;
use crate::iam::partition;

/// Geographies of inference profiles that are no code of two letters (Bedrock user guide, "Supported Regions and models for
/// inference profiles").
const GEOGRAPHIES: [&str; 3] = ["apac", "global", "us-gov"];
/// Actions that are asked for the model and for what routes to it.
const INVOKING: [&str; 2] = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

/// Whether what a call names as its model is an inference profile: by its ARN, or by the geography that those of AWS have before the
/// name of their model.
pub(super) fn is_profile(model_id: &str) -> bool {
    if model_id.starts_with("arn:") {
        return model_id.contains("inference-profile/");
    }
    let geography = model_id.split_once('.').map(|(head, _)| head).unwrap_or_default();
    let is_land = geography.len() == 2 && geography.bytes().all(|byte| byte.is_ascii_lowercase());
    is_land || GEOGRAPHIES.contains(&geography)
}

/// An inference profile through which a model was invoked. The record is one of the region of the call; other regions are asked,
/// too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    /// Its ARN, if the record tells it.
    pub(super) arn: Option<String>,
    /// Where models are asked for.
    pub(super) routes: Vec<Route>,
}

/// A place to which an inference profile routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// `aws:RequestedRegion`; `None` where it is not known.
    pub(super) region: Option<String>,
    /// A pattern over the ARNs of the models there.
    pub(super) models: String,
}

impl Profile {
    /// The profile of a call, for an action that is asked for it.
    ///
    /// Who names an inference profile in a policy must name the model in each region of it, too (Bedrock user guide,
    /// "Prerequisites for inference profiles"), and a policy over `aws:RequestedRegion` is asked for each of them (AWS blog,
    /// "Enable Amazon Bedrock cross-Region inference in multi-account environments"). Of a global profile the region is
    /// `unspecified` (Bedrock user guide, "Global cross-Region inference").
    pub(super) fn of(call: &ReplayedCall<'_>, need: &CallNeed<'_>) -> Option<Self> {
        if !INVOKING.contains(&need.action) {
            return None;
        }
        let id = call.model_id.unwrap_or_default();
        if !is_profile(id) && call.inference_region.is_none() {
            return None;
        }
        let region = call.fields.aws_region?;
        let partition = partition(region);
        let arn = match id {
            "" => None,
            arn if arn.starts_with("arn:") => Some(arn.to_owned()),
            id => {
                let principal = call.principal();
                let account = principal.account_id();
                account.map(|account| format!("arn:{partition}:bedrock:{region}:{account}:inference-profile/{id}"))
            }
        };
        // A profile of AWS has the name of its model behind that of a geography; one of an account may have any.
        let own = arn.as_deref().and_then(|arn| arn.split_once(":inference-profile/"));
        let (geography, model) = own.and_then(|(_, id)| id.split_once('.')).unwrap_or(("", "*"));
        let route = |region: Option<&str>, shown: &str| Route {
            region: region.map(str::to_owned),
            models: format!("arn:{partition}:bedrock:{shown}::foundation-model/{model}"),
        };
        let routes = match (geography, call.inference_region) {
            ("global", _) => vec![route(Some("unspecified"), "")],
            (_, Some(region)) => vec![route(Some(region), region), route(None, "*")],
            (_, None) => vec![route(None, "*")],
        };
        Some(Self { arn, routes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_is_known_by_its_arn_and_by_the_geography_before_the_name_of_its_model() {
        for id in [
            "eu.amazon.nova-pro-v1:0",
            "global.anthropic.claude",
            "us-gov.anthropic.claude",
            "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/x",
        ] {
            assert!(is_profile(id), "{id}");
        }
        let model = "arn:aws:bedrock:eu-west-1::foundation-model/eu.x";
        for id in ["amazon.nova-pro-v1:0", "zai.glm-4.6", model, "x", ""] {
            assert!(!is_profile(id), "{id}");
        }
    }
}
