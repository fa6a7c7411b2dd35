//! Whether a statement is about a request.

use super::condition;
use super::decision::Layer;
use super::decision::Missing;
use super::decision::StatementPlace;
use super::keys::ContextKeys;
use super::pattern;
use super::pattern::Filled;
use super::request::Request;
use super::request::ResourceName;
use super::truth::Truth;
use crate::iam::action_matches;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::iam::document::Version;
use crate::iam::pattern_covers;
use crate::iam::patterns_meet;
use crate::iam::resource_matches;
use crate::policy::resource::without_variables;

/// Actions that role trust policies decide; those have no `Resource` element.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// Whether role trust policies decide an action.
pub(super) fn is_trust_action(action: &str) -> bool {
    TRUST_ACTIONS.iter().any(|trust| trust.eq_ignore_ascii_case(action))
}

/// Whether action, resource and conditions of a statement fit a request; adds what is not known.
pub(super) fn fits<'a>(
    statement: &Statement,
    version: Option<Version>,
    request: &Request,
    place: StatementPlace<'a>,
    missing: &mut Vec<Missing<'a>>,
) -> Truth {
    if !action_fits(&statement.actions, &request.action) {
        return Truth::False;
    }
    let resource = match &statement.resources {
        Some(resources) => resource_fits(resources, version, request, place, missing),
        None if place.layer == Layer::Resource && is_trust_action(&request.action) => Truth::True,
        None => {
            missing.push(Missing::Statement(place));
            Truth::Unknown
        }
    };
    if resource == Truth::False {
        return Truth::False;
    }
    let conditions = condition::holds(&statement.conditions, version, &request.context, place, missing);
    resource.and(conditions)
}

fn action_fits(actions: &Scope<OneOrMany<String>>, action: &str) -> bool {
    let is_named = actions.named().texts().any(|pattern| action_matches(pattern, action));
    is_named != actions.is_negated()
}

fn resource_fits<'a>(
    resources: &Scope<OneOrMany<String>>,
    version: Option<Version>,
    request: &Request,
    place: StatementPlace<'a>,
    missing: &mut Vec<Missing<'a>>,
) -> Truth {
    let patterns = resources.named().texts();
    let is_named = Truth::any(patterns.map(|pattern| is_named(pattern, version, request, place, missing)));
    if resources.is_negated() {
        is_named.negated()
    } else {
        is_named
    }
}

fn is_named<'a>(
    pattern: &str,
    version: Option<Version>,
    request: &Request,
    place: StatementPlace<'a>,
    missing: &mut Vec<Missing<'a>>,
) -> Truth {
    if pattern == "*" {
        return Truth::True;
    }
    let name = match &request.resource.name {
        ResourceName::Arn(arn) => arn,
        ResourceName::Nothing => "*",
        ResourceName::Unnamed if !may_mean_no_resource(pattern, &request.action) => return Truth::False,
        ResourceName::Unnamed => {
            missing.push(Missing::ResourceName);
            return Truth::Unknown;
        }
        ResourceName::Like(names) => return is_any_named(pattern, version, names, missing),
        ResourceName::Unknown => {
            missing.push(Missing::ResourceName);
            return Truth::Unknown;
        }
    };
    if !pattern::has_variables(pattern, version) {
        return Truth::from(resource_matches(pattern, name));
    }
    if !has_variables_in_place(pattern) {
        missing.push(Missing::Meaning(place));
        return Truth::Unknown;
    }
    filled_matches(pattern, name, &request.context, missing)
}

/// Whether a pattern matches a resource of which a pattern of names is known.
fn is_any_named(pattern: &str, version: Option<Version>, names: &str, missing: &mut Vec<Missing<'_>>) -> Truth {
    let has_variables = pattern::has_variables(pattern, version);
    let meets = match has_variables {
        true => patterns_meet(&without_variables(pattern), names),
        false => patterns_meet(pattern, names),
    };
    if !meets {
        return Truth::False;
    }
    if !has_variables && pattern_covers(pattern, names) {
        return Truth::True;
    }
    missing.push(Missing::ResourceName);
    Truth::Unknown
}

/// Whether a pattern other than `*` may cover an action without resource types.
///
/// Service Authorization Reference: "you must specify all resources (`"*"`)" for such an action. Yet AWS's own policies grant
/// them on ARNs (`CloudFrontFullAccess`: `s3:ListAllMyBuckets` on `arn:aws:s3:::*`), and denials name some, as `role/` for
/// `iam:ListRoles`, with the path that the request asks for behind it. So a pattern over all names of a kind, or all below a path, may
/// cover it, and one over some names, or another service's, does not.
fn may_mean_no_resource(pattern: &str, action: &str) -> bool {
    let mut parts = pattern.splitn(6, ':').skip(2);
    let service = parts.next().unwrap_or("*");
    let is_of_other = !service.contains(['*', '?']) && !is_prefix(service, action);
    let (region, account) = (parts.next(), parts.next());
    let Some(resource) = parts.next() else {
        return !is_of_other && pattern.contains('*');
    };
    // "arn:aws:s3:::bucket_name/key_name" is the one form without a word for the kind.
    let is_object = service == "s3" && region == Some("") && account == Some("");
    let is_open = |text: &str| text.is_empty() || text.starts_with('*');
    let are_all_of_kind = |name: &str| is_open(name) || name.ends_with('/') || name.ends_with("/*");
    let kind_and_name = resource.split_once(['/', ':']).filter(|_| !is_object);
    !is_of_other && (is_open(resource) || kind_and_name.is_some_and(|(_, name)| are_all_of_kind(name)))
}

fn is_prefix(service: &str, action: &str) -> bool {
    let prefix = action.split(':').next().unwrap_or_default();
    prefix.eq_ignore_ascii_case(service)
}

/// "You can use a policy variable in the Resource element, but only in the resource portion of the ARN. This portion of the
/// ARN appears after the fifth colon."
fn has_variables_in_place(pattern: &str) -> bool {
    let before = pattern.split_once("${").map_or(pattern, |(before, _)| before);
    before.matches(':').count() >= 5
}

/// "The resource that includes a policy variable with no value will not match any resource" holds for `NotResource` too.
fn filled_matches(text: &str, name: &str, context: &ContextKeys, missing: &mut Vec<Missing<'_>>) -> Truth {
    match pattern::fill(text, context) {
        Filled::Tokens(tokens) => {
            let characters: Vec<char> = name.chars().collect();
            Truth::from(pattern::matches(&tokens, &characters, |left, right| left == right))
        }
        Filled::Null => Truth::False,
        Filled::Unknown(key) => {
            missing.push(Missing::Key(key));
            Truth::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_without_resources_may_be_covered_by_patterns_over_a_kind_of_its_service() {
        for (pattern, action, wanted) in [
            ("arn:aws:s3:::*", "s3:ListAllMyBuckets", true),
            ("arn:aws:s3:::data/*", "s3:ListAllMyBuckets", false),
            ("arn:aws:s3:::a*", "s3:ListAllMyBuckets", false),
            ("arn:aws:s3:*:*:accesspoint/*", "s3:ListAccessPoints", true),
            ("arn:aws:s3:*:*:accesspoint/a", "s3:ListAccessPoints", false),
            ("arn:aws:iam::111122223333:role/*", "iam:ListRoles", true),
            ("arn:aws:iam::111122223333:role/team/*", "iam:ListRoles", true),
            ("arn:aws:iam::111122223333:role/team/a", "iam:ListRoles", false),
            ("arn:aws:iam::*:role/", "IAM:ListRoles", true),
            ("arn:aws:logs:*", "logs:DescribeLogGroups", true),
            ("arn:*:logs:*:*:*", "logs:DescribeLogGroups", true),
            ("arn:*", "logs:DescribeLogGroups", true),
            ("arn:aws:iam::*:user/${aws:username}", "iam:ListUsers", false),
            ("arn:aws:iam::*:role/deploy", "iam:ListRoles", false),
            ("arn:aws:s3:::*", "iam:ListRoles", false),
            ("nothing", "iam:ListRoles", false),
        ] {
            assert_eq!(may_mean_no_resource(pattern, action), wanted, "{pattern} {action}");
        }
    }
}
