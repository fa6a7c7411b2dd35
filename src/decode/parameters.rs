//! Looking into the free-form fields of a record, for the few facts that only stand there.

use std::collections::HashSet;

use crate::iam;
use crate::iam::PassedRolePath;
use crate::iam::PathStep;

use super::scan::Scanner;
use super::scan::ValueKind;
use super::scan::string_content;

/// `RequestDetails.awsServingRegion` of an STS call's `additionalEventData`.
///
/// Calls to the STS global endpoint are recorded in us-east-1 whichever region serves them
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_region-endpoints.html>).
pub(crate) fn sts_serving_region(additional_event_data: &str) -> Option<String> {
    let details = member(additional_event_data, "RequestDetails")?;
    string_content(member(details, "awsServingRegion")?).map(|region| region.into_owned())
}

/// ARNs of the roles that a request hands to a service, in the order of the paths, each once.
pub(crate) fn passed_roles(
    request_parameters: &str,
    paths: &[PassedRolePath],
    account_id: Option<&str>,
    region: Option<&str>,
) -> Vec<String> {
    let mut arns: Vec<String> = Vec::new();
    // A request may hold a list with as many roles as a record has room for.
    let mut known: HashSet<String> = HashSet::new();
    for path in paths {
        follow(request_parameters, &path.steps, &mut |value| {
            let arn = iam::passed_role_arn(path, value, account_id, region);
            if let Some(arn) = arn.filter(|arn| known.insert(arn.clone())) {
                arns.push(arn);
            }
        });
    }
    arns
}

fn follow(raw: &str, steps: &[PathStep], visit: &mut dyn FnMut(&str)) {
    let Some((step, rest)) = steps.split_first() else {
        if let Some(text) = string_content(raw) {
            visit(&text);
        }
        return;
    };
    let Some(value) = member_without_case(raw, step.member) else {
        return;
    };
    if !step.every_element {
        return follow(value, rest, visit);
    }
    // EC2 wraps its lists as {"items":[…]}.
    let list = member(value, "items").unwrap_or(value);
    let mut elements = Vec::new();
    if Scanner::new(list).elements(|_, element| elements.push(element)).is_ok() {
        elements.into_iter().for_each(|element| follow(element, rest, visit));
    }
}

/// Raw text of an object's member; `None` if there is none or the text is no object.
fn member<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    find_member(raw, |key| key == name)
}

fn member_without_case<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    find_member(raw, |key| key.eq_ignore_ascii_case(name))
}

fn find_member(raw: &str, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
    let mut found = None;
    let read = Scanner::new(raw).members(|key, kind, value| {
        if found.is_none() && kind != ValueKind::Null && is_wanted(&key) {
            found = Some(value);
        }
    });
    read.ok().and(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serving_region_is_read_from_request_details() {
        let raw = r#"{"RequestDetails":{"endpointType":"global","awsServingRegion":"eu-west-1"}}"#;
        assert_eq!(sts_serving_region(raw).as_deref(), Some("eu-west-1"));
        assert_eq!(sts_serving_region(r#"{"other":1}"#), None);
    }

    #[test]
    fn both_roles_of_a_task_definition_are_found_once_each() {
        let raw = r#"{"taskRoleArn":"arn:aws:iam::1:role/task","executionRoleArn":"arn:aws:iam::1:role/exec"}"#;
        let paths = iam::passed_role_paths("ecs.amazonaws.com", "RegisterTaskDefinition");
        let arns = passed_roles(raw, paths, Some("1"), Some("eu-west-1"));
        assert_eq!(arns, ["arn:aws:iam::1:role/exec", "arn:aws:iam::1:role/task"]);
    }
}
