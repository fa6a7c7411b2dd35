//! Which request parameters hand a role to a service.
//!
//! CloudTrail logs no event for `iam:PassRole`
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html>); the request that carries the role is
//! the only evidence.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::facts::FactsError;
use super::facts::Sections;

/// Path of one request parameter: member names, `[]` after a name for "every element".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedRolePath {
    /// Steps from `requestParameters` down.
    pub steps: Vec<PathStep>,
    names_instance_profile: bool,
}

/// One step of a [`PassedRolePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// Member name; CloudTrail and the API differ in case, so it is compared without case.
    pub member: &'static str,
    /// Whether the member is an array whose every element is followed.
    pub every_element: bool,
}

/// Paths of every operation, by event source or service prefix.
#[derive(Debug, Default)]
pub(super) struct PassedRoles {
    by_source: BTreeMap<String, BTreeMap<&'static str, Vec<PassedRolePath>>>,
}

impl PassedRoles {
    /// An operation is known under the service's own source and under every other source that carries its prefix.
    pub(super) fn read(sections: &Sections) -> Result<Self, FactsError> {
        let mut sources_of: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for mut row in sections.rows("event-sources")? {
            let source = row.cell();
            row.list()
                .for_each(|prefix| sources_of.entry(prefix).or_default().push(source));
        }
        let mut by_source: BTreeMap<String, BTreeMap<&'static str, Vec<PassedRolePath>>> = BTreeMap::new();
        for mut row in sections.rows("passed-roles")? {
            let (prefix, operation) = (row.cell(), row.cell());
            let paths: Vec<PassedRolePath> = row.list().map(parse_path).collect();
            let others = sources_of.get(prefix).into_iter().flatten();
            let sources = others.map(|source| (*source).to_owned());
            for source in sources.chain([format!("{prefix}.amazonaws.com")]) {
                by_source.entry(source).or_default().insert(operation, paths.clone());
            }
        }
        Ok(Self { by_source })
    }

    fn paths(&self, event_source: &str, operation: &str) -> &[PassedRolePath] {
        let paths = self.by_source.get(event_source).and_then(|names| names.get(operation));
        paths.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Paths at which a request to this operation may hand over a role; empty for every other operation.
///
/// The API version suffix of the event name (`CreateFunction20150331`) does not matter. The embedded facts decide, so
/// that equal logs give equal stores.
pub fn passed_role_paths(event_source: &str, event_name: &str) -> &'static [PassedRolePath] {
    let roles = &Facts::embedded().passed_roles;
    roles.paths(event_source, without_version_suffix(event_name))
}

/// ARN of a passed role or instance profile from the parameter's value, which may be an ARN or a bare name.
///
/// Returns `None` for a value that can be neither.
pub fn passed_role_arn(
    path: &PassedRolePath,
    value: &str,
    account_id: Option<&str>,
    region: Option<&str>,
) -> Option<String> {
    if value.starts_with("arn:") {
        return Some(value.to_owned());
    }
    let bare_name = !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte));
    let account_id = account_id.filter(|_| bare_name)?;
    let partition = partition(region.unwrap_or_default());
    let resource = if path.names_instance_profile {
        "instance-profile"
    } else {
        "role"
    };
    Some(format!(
        "arn:{partition}:iam::{account_id}:{resource}/{}",
        value.trim_start_matches('/')
    ))
}

/// Removes the API version that Lambda and CloudFront append to event names (`ListFunctions20150331`,
/// `CreateFunction2020_05_31`).
pub fn without_version_suffix(event_name: &str) -> &str {
    let without_revision = match event_name.rsplit_once('v') {
        Some((head, revision)) if !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()) => head,
        _ => event_name,
    };
    for layout in ["dddddddd", "dddd_dd_dd"] {
        let Some(cut) = without_revision.len().checked_sub(layout.len()) else {
            continue;
        };
        let Some((name, suffix)) = without_revision.split_at_checked(cut) else {
            continue;
        };
        let fits = suffix.bytes().zip(layout.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
        if fits && !name.is_empty() {
            return name;
        }
    }
    event_name
}

/// Partition of the ARNs of a region.
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn parse_path(text: &'static str) -> PassedRolePath {
    let steps = text.split('.').map(|step| match step.strip_suffix("[]") {
        Some(member) => PathStep {
            member,
            every_element: true,
        },
        None => PathStep {
            member: step,
            every_element: false,
        },
    });
    PassedRolePath {
        steps: steps.collect(),
        names_instance_profile: text.to_ascii_lowercase().contains("instanceprofile"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_suffixes_are_removed_and_plain_names_kept() {
        assert_eq!(without_version_suffix("CreateFunction20150331"), "CreateFunction");
        assert_eq!(
            without_version_suffix("UpdateFunctionCode20150331v2"),
            "UpdateFunctionCode"
        );
        assert_eq!(without_version_suffix("CreateFunction2020_05_31"), "CreateFunction");
        for name in ["RunInstances", "20150331", "Invokev2", "", "ListÄ20150331é"] {
            assert_eq!(without_version_suffix(name), name);
        }
    }

    #[test]
    fn lambda_with_a_version_suffix_finds_its_role_parameter() {
        let paths = passed_role_paths("lambda.amazonaws.com", "CreateFunction20150331");
        assert_eq!(paths.len(), 1);
        assert_eq!(
            paths[0].steps,
            [PathStep {
                member: "role",
                every_element: false
            }]
        );
        assert!(passed_role_paths("lambda.amazonaws.com", "ListFunctions20150331").is_empty());
    }

    #[test]
    fn instance_profile_names_become_instance_profile_arns() {
        let paths = passed_role_paths("ec2.amazonaws.com", "RunInstances");
        let arn = paths
            .iter()
            .find_map(|path| passed_role_arn(path, "web", Some("111122223333"), Some("us-gov-east-1")));
        assert_eq!(
            arn.as_deref(),
            Some("arn:aws-us-gov:iam::111122223333:instance-profile/web")
        );
    }

    #[test]
    fn operation_is_known_under_every_source_of_its_service() {
        for source in ["mq.amazonaws.com", "amazonmq.amazonaws.com"] {
            assert!(!passed_role_paths(source, "CreateBroker").is_empty(), "{source}");
        }
    }
}
