//! The resource that IAM is asked for, where a call names something that belongs to it or leads to it.

use std::borrow::Cow;

use super::function_name::FunctionName;
use super::outcome::ResourceOrigin;
use super::outcome::UsedResource;
use super::parameters::Parameters;

/// Part of an ARN that an access point of S3 has.
const ACCESS_POINT: &str = ":accesspoint/";

/// Services, and behind which part of an ARN a colon ends the name of the resource:
/// - "Step Functions uses the state machine's ARN instead of using the version ARN or alias ARN" (Step Functions developer guide,
///   "Authorization for versions and aliases");
/// - a version or label of a parameter stands behind its name in requests alone (Systems Manager user guide, "Working with parameter
///   versions" and "labels");
/// - subscriptions have the ARN of their topic with an id behind it, and the service reference has topics alone.
const ENDED_BY_COLON: &[(&str, &str)] = &[("sns", ""), ("ssm", "parameter/"), ("states", "stateMachine:")];

/// Whether the names within the ARNs that records have of an action's resources decide what IAM is asked for.
pub(super) fn reads_names(action: &str) -> bool {
    is_of(action, "lambda") || ENDED_BY_COLON.iter().any(|(service, _)| is_of(action, service))
}

/// Whether one of these ARNs leads to resources of others.
pub(super) fn leads_elsewhere(recorded: &[&str]) -> bool {
    recorded.iter().any(|arn| arn.contains(ACCESS_POINT))
}

/// Puts what IAM is asked for in the place of what the call names.
pub(super) fn put_in_place<'p, 'a: 'p>(
    action: &str,
    recorded: &[&str],
    parameters: impl FnOnce() -> &'p Parameters<'a>,
    resources: &mut Vec<UsedResource<'_>>,
) {
    if is_of(action, "lambda") && resources.iter().any(|resource| unqualified(&resource.arn).is_some()) {
        let parameters = parameters();
        resources.iter_mut().for_each(|resource| qualify(resource, parameters));
    }
    let colon = ENDED_BY_COLON.iter().find(|(service, _)| is_of(action, service));
    if let Some((_, kind)) = colon {
        resources.iter_mut().for_each(|resource| end_at_colon(kind, resource));
    }
    let point = recorded.iter().find(|arn| arn.contains(ACCESS_POINT));
    if let Some(point) = point.filter(|_| is_of(action, "s3")) {
        resources.iter_mut().for_each(|resource| lead_through(point, resource));
    }
    // Two that differed in what is left out.
    let mut seen: Vec<Cow<'_, str>> = Vec::new();
    resources.retain(|resource| {
        let is_new = !seen.contains(&resource.arn);
        seen.push(resource.arn.clone());
        is_new
    });
}

fn is_of(action: &str, service: &str) -> bool {
    action.strip_prefix(service).is_some_and(|rest| rest.starts_with(':'))
}

/// Name of the function in an ARN that has neither a version nor an alias.
fn unqualified(arn: &str) -> Option<&str> {
    let name = arn.splitn(6, ':').nth(5)?.strip_prefix("function:")?;
    (!name.contains(':')).then_some(name)
}

/// "Actions that operate on a function can be restricted to a specific function by function, version, or alias ARN" (Lambda
/// developer guide, "Fine-tuning the Resources and Conditions sections of policies"). The record may name the function alone; the
/// request tells the rest.
fn qualify(resource: &mut UsedResource<'_>, parameters: &Parameters<'_>) {
    let Some(name) = unqualified(&resource.arn) else {
        return;
    };
    let named = parameters.strings_at("functionName");
    let named = named.first().map_or("", |named| named.as_ref());
    let asked = FunctionName::parse(named);
    let told = parameters.strings_at("qualifier");
    let told = told.first().map(|told| told.as_ref());
    let Some(qualifier) = told.or(asked.qualifier).filter(|_| asked.name == name) else {
        return;
    };
    resource.arn = Cow::Owned(format!("{}:{qualifier}", resource.arn));
    if resource.origin == ResourceOrigin::Record {
        resource.origin = ResourceOrigin::Parameter;
    }
}

fn end_at_colon(kind: &str, resource: &mut UsedResource<'_>) {
    let Some(position) = colon_behind(kind, &resource.arn) else {
        return;
    };
    let short = resource.arn.get(..position).unwrap_or_default().to_owned();
    resource.arn = Cow::Owned(short);
    // No longer as it stands in the list of resources.
    if resource.origin == ResourceOrigin::Record {
        resource.origin = ResourceOrigin::Parameter;
    }
}

/// Where the colon stands that ends the name of a resource of a kind.
fn colon_behind(kind: &str, arn: &str) -> Option<usize> {
    let name = arn.splitn(6, ':').nth(5)?.strip_prefix(kind)?;
    let start = arn.len().checked_sub(name.len())?;
    Some(start + name.find(':')?)
}

/// "CloudTrail log entries for requests made through access points will include the access point ARN" beside those of object and
/// bucket (S3 user guide, "Monitoring and logging access points"), and policies of identities are asked for
/// `accesspoint/name/object/key`. Of the ARN that is made of both only a hint is taken.
fn lead_through(point: &str, resource: &mut UsedResource<'_>) {
    let Some(name) = resource
        .arn
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(":s3:::"))
    else {
        return;
    };
    let arn = match name.1.split_once('/') {
        Some((_, key)) => format!("{point}/object/{key}"),
        None => point.to_owned(),
    };
    resource.arn = Cow::Owned(arn);
    resource.origin = ResourceOrigin::Template;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(action: &str, recorded: &[&str], arns: &[&str]) -> Vec<(String, bool)> {
        put_with("{}", action, recorded, arns)
    }

    fn put_with(request: &str, action: &str, recorded: &[&str], arns: &[&str]) -> Vec<(String, bool)> {
        let used = |arn: &&str| UsedResource {
            arn: Cow::Owned((*arn).to_owned()),
            resource_type: "",
            origin: ResourceOrigin::Record,
        };
        let mut resources: Vec<UsedResource<'_>> = arns.iter().map(used).collect();
        let parameters = Parameters::parse(Some(request));
        put_in_place(action, recorded, || &parameters, &mut resources);
        let found = resources
            .into_iter()
            .map(|it| (it.arn.into_owned(), it.origin.is_proof()));
        found.collect()
    }

    #[test]
    fn versions_and_aliases_are_those_of_their_resource() {
        for (action, arn, wanted) in [
            (
                "states:StartExecution",
                "arn:aws:states:r:1:stateMachine:sm:prod",
                "arn:aws:states:r:1:stateMachine:sm",
            ),
            (
                "states:StartExecution",
                "arn:aws:states:r:1:stateMachine:sm",
                "arn:aws:states:r:1:stateMachine:sm",
            ),
            (
                "states:StopExecution",
                "arn:aws:states:r:1:execution:sm:e",
                "arn:aws:states:r:1:execution:sm:e",
            ),
            (
                "ssm:GetParameter",
                "arn:aws:ssm:r:1:parameter/a/b:2",
                "arn:aws:ssm:r:1:parameter/a/b",
            ),
            (
                "sns:GetSubscriptionAttributes",
                "arn:aws:sns:r:1:t:0f-1",
                "arn:aws:sns:r:1:t",
            ),
            ("sns:Publish", "arn:aws:sns:r:1:t", "arn:aws:sns:r:1:t"),
            (
                "lambda:InvokeFunction",
                "arn:aws:lambda:r:1:function:f:prod",
                "arn:aws:lambda:r:1:function:f:prod",
            ),
        ] {
            assert_eq!(put(action, &[], &[arn]), [(wanted.to_owned(), true)], "{action}");
        }
        let both = [
            "arn:aws:states:r:1:stateMachine:sm:1",
            "arn:aws:states:r:1:stateMachine:sm:2",
        ];
        assert_eq!(put("states:StartExecution", &[], &both).len(), 1);
    }

    #[test]
    fn function_has_the_version_or_alias_that_was_asked_for() {
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        let asked = |request: &str, arn: &str| put_with(request, "lambda:InvokeFunction", &[arn], &[arn]);
        let with_alias = format!("{function}:prod");
        for request in [
            r#"{"functionName":"f","qualifier":"prod"}"#,
            r#"{"functionName":"f:prod"}"#,
            r#"{"functionName":"111122223333:f:prod"}"#,
            r#"{"functionName":"111122223333:function:f:prod"}"#,
            r#"{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:f:prod"}"#,
        ] {
            assert_eq!(asked(request, function), [(with_alias.clone(), true)], "{request}");
        }
        for request in ["{}", r#"{"functionName":"f"}"#, r#"{"functionName":"g:prod"}"#] {
            assert_eq!(asked(request, function), [(function.to_owned(), true)], "{request}");
        }
        let version = format!("{function}:2");
        let request = r#"{"functionName":"f:prod"}"#;
        assert_eq!(asked(request, &version), [(version, true)]);
        let layer = "arn:aws:lambda:eu-west-1:111122223333:layer:f";
        assert_eq!(asked(request, layer), [(layer.to_owned(), true)]);
    }

    #[test]
    fn object_behind_an_access_point_is_a_hint_of_what_iam_is_asked_for() {
        let point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap";
        let (bucket, object) = ("arn:aws:s3:::b", "arn:aws:s3:::b/k/x.csv");
        let through = |action: &str, arn: &str| put(action, &[object, bucket, point], &[arn]);
        assert_eq!(
            through("s3:GetObject", object),
            [(format!("{point}/object/k/x.csv"), false)]
        );
        assert_eq!(through("s3:ListBucket", bucket), [(point.to_owned(), false)]);
        assert_eq!(
            put("s3:GetObject", &[object, bucket], &[object]),
            [(object.to_owned(), true)]
        );
        let key = "arn:aws:kms:eu-west-1:111122223333:key/k";
        assert_eq!(through("kms:Decrypt", key), [(key.to_owned(), true)]);
        assert!(leads_elsewhere(&[object, point]) && !leads_elsewhere(&[object, bucket]));
    }
}
