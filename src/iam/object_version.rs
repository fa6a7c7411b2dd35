//! Operations of S3 on one version of an object: another action takes the place of the one that they need otherwise.
//!
//! Amazon S3 user guide, "Required permissions for Amazon S3 API operations": "Either `s3:GetObject` or
//! `s3:GetObjectVersion`", the one "without specifying `versionId` in the request", the other "by specifying `versionId`";
//! the same of deletions, lists of access, tags and the sources of copies.

use super::catalogue::ActionId;
use super::copy_source;
use super::copy_source::CopyEnd;
use super::parameters::Parameters;

/// Parameter of a request that is about one version; `null` as a text is the version of that name.
const PARAMETER: &str = "versionId";

/// The action on versions that takes the place of an action on objects, among those that an operation may need.
pub(super) fn action_on_version(action: &str, others: &[(ActionId, &'static str)]) -> Option<ActionId> {
    let rest = action.strip_prefix("s3:")?;
    let (verb, kind) = rest.split_once("Object")?;
    let is_it = |name: &str| {
        let rest = name.strip_prefix("s3:").and_then(|rest| rest.strip_prefix(verb));
        rest.and_then(|rest| rest.strip_prefix("ObjectVersion")) == Some(kind)
    };
    others.iter().find(|(_, name)| is_it(name)).map(|(id, _)| *id)
}

/// The parameter by which a request says that it is about one version of an object.
pub(super) fn parameter(copy_end: Option<CopyEnd>, parameters: &Parameters<'_>) -> Option<&'static str> {
    match copy_end {
        Some(CopyEnd::Source) => copy_source::has_version(parameters).then_some(copy_source::PARAMETER),
        Some(CopyEnd::Destination) => None,
        // What lists the objects of a request may name versions of some only.
        None => parameters.has_of_its_own(PARAMETER).then_some(PARAMETER),
    }
}

/// Whether a request that names no version is seen to be about none: it names its object, or the source of its copy, so that the
/// version would stand there, too. The record of a deletion of several objects names none of them.
pub(super) fn is_of_none(copy_end: Option<CopyEnd>, parameters: &Parameters<'_>) -> bool {
    let is_seen = match copy_end {
        Some(CopyEnd::Source) => parameters.has_of_its_own(copy_source::PARAMETER),
        Some(CopyEnd::Destination) => false,
        None => parameters.has_of_its_own("key"),
    };
    is_seen && parameter(copy_end, parameters).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Facts;

    #[test]
    fn each_action_on_objects_has_the_one_on_versions_of_its_name() {
        let facts = Facts::embedded();
        let listed = |names: &[&'static str]| -> Vec<(ActionId, &'static str)> {
            names.iter().map(|name| (facts.find(name).unwrap(), *name)).collect()
        };
        let others = listed(&[
            "s3:GetObjectVersion",
            "s3:GetObjectVersionAcl",
            "s3:PutObjectVersionAcl",
            "s3:DeleteObjectVersionTagging",
        ]);
        for (action, version) in [
            ("s3:GetObject", Some("s3:GetObjectVersion")),
            ("s3:GetObjectAcl", Some("s3:GetObjectVersionAcl")),
            ("s3:PutObjectAcl", Some("s3:PutObjectVersionAcl")),
            ("s3:DeleteObjectTagging", Some("s3:DeleteObjectVersionTagging")),
            ("s3:GetObjectTagging", None),
            ("s3:PutObject", None),
            ("s3-outposts:GetObject", None),
            ("s3:ListBucket", None),
        ] {
            let found = action_on_version(action, &others).map(|id| facts.name(id));
            assert_eq!(found, version, "{action}");
        }
    }

    #[test]
    fn version_is_named_by_the_request_itself_or_by_the_source_of_a_copy() {
        for (copy_end, text, said) in [
            (None, r#"{"versionId":"3"}"#, Some("versionId")),
            (None, r#"{"versionId":"null"}"#, Some("versionId")),
            (None, r#"{"versionId":null}"#, None),
            (None, r#"{"versionId":""}"#, None),
            (None, r#"{"delete":{"object":[{"key":"k","versionId":"3"}]}}"#, None),
            (
                Some(CopyEnd::Source),
                r#"{"x-amz-copy-source":"/in/k?versionId=null"}"#,
                Some("x-amz-copy-source"),
            ),
            (
                Some(CopyEnd::Source),
                r#"{"x-amz-copy-source":"/in/k?versionId="}"#,
                None,
            ),
            (
                Some(CopyEnd::Source),
                r#"{"x-amz-copy-source":"/in/k","versionId":"3"}"#,
                None,
            ),
            (
                Some(CopyEnd::Destination),
                r#"{"x-amz-copy-source":"/in/k?versionId=3"}"#,
                None,
            ),
        ] {
            let parameters = Parameters::parse(Some(text));
            assert_eq!(parameter(copy_end, &parameters), said, "{text}");
        }
    }
}
