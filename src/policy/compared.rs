//! What IAM compares with the resources of policies where records name these a little differently.

use super::evaluation::ResourceName;
use super::resource::covers;
use super::resource::without_variables;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::iam::pattern_covers;
use crate::iam::patterns_meet;

/// What may stand behind the name of a log group in an ARN.
const ALL_STREAMS: &str = ":*";
/// Of these alone policies name a log group without a trailing `:*` (CloudWatch Logs API reference, `LogGroup`).
const WITHOUT_STREAMS: [&str; 3] = ["logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"];
/// "Secrets Manager automatically adds a hyphen and six random characters after the secret name at the end of the ARN" (API
/// reference, `CreateSecret`), and takes ARNs without them.
const SECRET_ENDING: &str = "-??????";

/// The name that IAM compares for a resource of a call whose request is known.
pub(super) fn compared(action: &str, arn: &str) -> ResourceName {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    match service {
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

/// The same where the request is not known: it may have asked for a version or alias of a function.
pub(super) fn compared_without_request(action: &str, arn: &str) -> ResourceName {
    let is_function = arn.contains(":function:") && action.starts_with("lambda:");
    let has_qualifier = arn.splitn(8, ':').nth(7).is_some();
    match is_function && !has_qualifier {
        true => ResourceName::Like(format!("{arn}*")),
        false => compared(action, arn),
    }
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

/// Whether a statement is about a resource, whichever of its names IAM compares.
pub(super) fn covers_all(statement: &Statement, name: &ResourceName) -> bool {
    is_about(statement, name, (pattern_covers, patterns_meet))
}

/// Whether a statement may be about a resource by one of the names that IAM may compare.
pub(super) fn covers_some(statement: &Statement, name: &ResourceName) -> bool {
    is_about(statement, name, (patterns_meet, pattern_covers))
}

/// What holds of two patterns.
type Relation = fn(&str, &str) -> bool;

/// Whether a statement is about a name by what must hold of a pattern that it names, and of none that it excepts.
fn is_about(statement: &Statement, name: &ResourceName, (of_named, of_excepted): (Relation, Relation)) -> bool {
    match (name, &statement.resources) {
        (ResourceName::Arn(arn), _) => covers(statement, arn),
        (ResourceName::Like(names), Some(Scope::Only(patterns))) => patterns
            .texts()
            .any(|pattern| of_named(&without_variables(pattern), names)),
        (ResourceName::Like(names), Some(Scope::AllBut(patterns))) => {
            !patterns.texts().any(|pattern| of_excepted(pattern, names))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(pattern: &str) -> ResourceName {
        ResourceName::Like(pattern.to_owned())
    }

    fn exactly(arn: &str) -> ResourceName {
        ResourceName::Arn(arn.to_owned())
    }

    #[test]
    fn function_of_which_the_request_is_not_known_may_have_a_version_or_alias() {
        let function = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        let named = |arn: &str| compared_without_request("lambda:InvokeFunction", arn);
        assert_eq!(named(function), like(&format!("{function}*")));
        let version = format!("{function}:2");
        assert_eq!(named(&version), exactly(&version));
        assert_eq!(compared("lambda:InvokeFunction", function), exactly(function));
    }

    #[test]
    fn log_group_is_compared_with_what_stands_behind_its_name_but_for_its_tags() {
        let group = "arn:aws:logs:eu-west-1:111122223333:log-group:/g";
        for arn in [group.to_owned(), format!("{group}:*")] {
            assert_eq!(compared("logs:FilterLogEvents", &arn), like(&format!("{group}:*")));
            assert_eq!(compared("logs:TagResource", &arn), exactly(group));
        }
        let stream = format!("{group}:log-stream:s");
        assert_eq!(compared("logs:GetLogEvents", &stream), exactly(&stream));
    }

    #[test]
    fn secret_is_compared_with_the_characters_that_its_partial_arn_lacks() {
        let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db";
        let read = |arn: &str| compared("secretsmanager:GetSecretValue", arn);
        assert_eq!(read(secret), like(&format!("{secret}-??????")));
        assert_eq!(read(&format!("{secret}-main")), like(&format!("{secret}-main-??????")));
        assert_eq!(read(&format!("{secret}-backup")), like(&format!("{secret}-backup*")));
        let whole = format!("{secret}-AbC123");
        assert_eq!(read(&whole), exactly(&whole));
        let bucket = "arn:aws:s3:::logs";
        assert_eq!(compared("s3:ListBucket", bucket), exactly(bucket));
    }
}
