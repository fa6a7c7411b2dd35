//! What IAM compares with the resources of policies where records name these a little differently.

use super::CallNeed;
use super::ReplayedCall;
use crate::iam::FunctionName;
use crate::iam::json::Json;
use crate::iam::partition;
use crate::policy::evaluation::ResourceName;

/// What may stand behind the name of a log group in an ARN.
const ALL_STREAMS: &str = ":*";
/// Of these alone policies name a log group without a trailing `:*` (CloudWatch Logs API reference, `LogGroup`).
const WITHOUT_STREAMS: [&str; 3] = ["logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"];
/// "Secrets Manager automatically adds a hyphen and six random characters after the secret name at the end of the ARN" (API
/// reference, `CreateSecret`), and takes ARNs without them.
const SECRET_ENDING: &str = "-??????";
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

/// The name that IAM compares for a resource whose ARN stands in the record.
pub(super) fn compared(action: &str, arn: &str, parameters: Option<&Json>) -> ResourceName {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    match service {
        "lambda" if is_unqualified(resource) => function(arn, parameters),
        "logs" if resource.starts_with("log-group:") && !resource.contains(":log-stream:") => {
            let group = arn.strip_suffix(ALL_STREAMS).unwrap_or(arn);
            match WITHOUT_STREAMS.contains(&action) {
                true => ResourceName::Arn(group.to_owned()),
                false => ResourceName::Like(format!("{group}{ALL_STREAMS}")),
            }
        }
        "secretsmanager" => secret(arn, resource),
        _ => ResourceName::Arn(arn.to_owned()),
    }
}

/// A function without version or alias.
fn is_unqualified(resource: &str) -> bool {
    resource
        .strip_prefix("function:")
        .is_some_and(|name| !name.contains(':'))
}

/// "Actions that operate on a function can be restricted to a specific function by function, version, or alias ARN" (Lambda
/// developer guide, "Fine-tuning the Resources and Conditions sections of policies"). The record names the function; its
/// parameters tell the rest.
fn function(arn: &str, parameters: Option<&Json>) -> ResourceName {
    let Some(parameters @ Json::Object(_)) = parameters else {
        return ResourceName::Like(format!("{arn}*"));
    };
    let named = parameters
        .member("functionName")
        .and_then(Json::text)
        .unwrap_or_default();
    let qualifier = parameters.member("qualifier").and_then(Json::text);
    let Some(qualifier) = qualifier.or(FunctionName::parse(named).qualifier) else {
        return ResourceName::Arn(arn.to_owned());
    };
    ResourceName::Arn(format!("{arn}:{qualifier}"))
}

/// An ARN of a secret, which may lack its ending. One of six small letters is more likely the end of a name.
fn secret(arn: &str, resource: &str) -> ResourceName {
    let ending = resource.rsplit_once('-').map(|(_, ending)| ending).unwrap_or_default();
    let is_ending = ending.len() == SECRET_ENDING.len() - 1 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_ending {
        true if ending.bytes().all(|byte| byte.is_ascii_lowercase()) => ResourceName::Like(format!("{arn}*")),
        true => ResourceName::Arn(arn.to_owned()),
        false => ResourceName::Like(format!("{arn}{SECRET_ENDING}")),
    }
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

    fn name(action: &str, arn: &str, parameters: Option<&str>) -> ResourceName {
        let parameters = parameters.map(|text| Json::parse(text).unwrap());
        compared(action, arn, parameters.as_ref())
    }

    fn like(pattern: &str) -> ResourceName {
        ResourceName::Like(pattern.to_owned())
    }

    fn exactly(arn: &str) -> ResourceName {
        ResourceName::Arn(arn.to_owned())
    }

    #[test]
    fn function_is_compared_with_the_version_or_alias_that_was_asked_for() {
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        let invoked = |parameters: Option<&str>| name("lambda:InvokeFunction", function, parameters);
        let with_alias = exactly(&format!("{function}:prod"));
        assert_eq!(invoked(None), like(&format!("{function}*")));
        assert_eq!(invoked(Some(r#"{"functionName":"f"}"#)), exactly(function));
        for parameters in [
            r#"{"functionName":"f","qualifier":"prod"}"#,
            r#"{"functionName":"f:prod"}"#,
            r#"{"functionName":"111122223333:f:prod"}"#,
            r#"{"functionName":"111122223333:function:f:prod"}"#,
            r#"{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:f:prod"}"#,
        ] {
            assert_eq!(invoked(Some(parameters)), with_alias, "{parameters}");
        }
        assert_eq!(
            name("lambda:InvokeFunction", &format!("{function}:2"), None),
            exactly(&format!("{function}:2"))
        );
    }

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

    #[test]
    fn log_group_is_compared_with_what_stands_behind_its_name_but_for_its_tags() {
        let group = "arn:aws:logs:eu-west-1:111122223333:log-group:/g";
        for arn in [group.to_owned(), format!("{group}:*")] {
            assert_eq!(name("logs:FilterLogEvents", &arn, None), like(&format!("{group}:*")));
            assert_eq!(name("logs:TagResource", &arn, None), exactly(group));
        }
        let stream = format!("{group}:log-stream:s");
        assert_eq!(name("logs:GetLogEvents", &stream, None), exactly(&stream));
    }

    #[test]
    fn secret_is_compared_with_the_characters_that_its_partial_arn_lacks() {
        let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db";
        let read = |arn: &str| name("secretsmanager:GetSecretValue", arn, None);
        assert_eq!(read(secret), like(&format!("{secret}-??????")));
        assert_eq!(read(&format!("{secret}-main")), like(&format!("{secret}-main-??????")));
        assert_eq!(read(&format!("{secret}-backup")), like(&format!("{secret}-backup*")));
        let whole = format!("{secret}-AbC123");
        assert_eq!(read(&whole), exactly(&whole));
        let bucket = "arn:aws:s3:::logs";
        assert_eq!(name("s3:ListBucket", bucket, None), exactly(bucket));
    }
}
