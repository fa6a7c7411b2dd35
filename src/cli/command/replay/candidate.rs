//! The policies that the user wants to try: read, refused where AWS would refuse them, and with what is odd about them.

use std::fs;
use std::path::PathBuf;

use crate::cli::args::ReplayArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::size::format_count;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Statement;
use crate::policy::CONTROL_POLICY_CHARACTERS;
use crate::policy::MANAGED_POLICY_CHARACTERS;
use crate::policy::full_access;
use crate::policy::full_access_to_resources;
use crate::policy::policy_characters;

/// A policy that the user named, or one that comes beside it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) document: Document,
    kind: Kind,
}

/// What a policy is tried as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OfIdentity,
    ServiceControl,
    ResourceControl,
}

/// Reads the policies, none for `--plan`. Service control policies that only deny come beside those that allow all.
pub(super) fn candidates(args: &ReplayArgs) -> Result<Vec<Candidate>, CliError> {
    let of = |paths: &[PathBuf], kind: Kind| -> Result<Vec<Candidate>, CliError> {
        paths.iter().map(|path| candidate(path, kind)).collect()
    };
    let mut candidates = of(&args.policies, Kind::OfIdentity)?;
    candidates.extend(of(args.boundary.as_slice(), Kind::OfIdentity)?);
    candidates.extend(of(&args.control_policies, Kind::ServiceControl)?);
    candidates.extend(of(&args.resource_policies, Kind::ResourceControl)?);
    let grants = |it: &Candidate| {
        it.document
            .readable()
            .any(|(_, statement)| statement.effect == Effect::Allow)
    };
    let has_grant = candidates.iter().any(grants);
    if !args.control_policies.is_empty() && !has_grant {
        candidates.push(Candidate {
            name: "FullAWSAccess".to_owned(),
            document: full_access(),
            kind: Kind::ServiceControl,
        });
    }
    if !args.resource_policies.is_empty() {
        // It is attached everywhere and cannot be detached.
        candidates.push(Candidate {
            name: "RCPFullAWSAccess".to_owned(),
            document: full_access_to_resources(),
            kind: Kind::ResourceControl,
        });
    }
    Ok(candidates)
}

/// Says what AWS may refuse, and which actions nobody knows: a policy about them denies nothing.
pub(super) fn tell_oddities(candidates: &[Candidate], facts: &Facts, output: &mut Output) {
    for candidate in candidates {
        for (position, statement) in candidate.document.readable() {
            let unknown = unknown_actions(statement, facts);
            if !unknown.is_empty() {
                output.warning(&format!(
                    "`{}` statement {}: the facts know no such action: {}",
                    candidate.name,
                    position + 1,
                    unknown.join(", ")
                ));
            }
        }
        let (kind, limit) = match candidate.kind {
            Kind::OfIdentity => ("managed", MANAGED_POLICY_CHARACTERS),
            Kind::ServiceControl | Kind::ResourceControl => ("control", CONTROL_POLICY_CHARACTERS),
        };
        let characters = policy_characters(&candidate.document);
        if characters > limit {
            output.warning(&format!(
                "`{}` has {} characters without white space, and AWS allows {} for a {kind} policy",
                candidate.name,
                format_count(characters),
                format_count(limit)
            ));
        }
    }
}

fn unknown_actions(statement: &Statement, facts: &Facts) -> Vec<String> {
    let patterns = statement.actions.named().texts();
    let unknown = patterns.filter(|pattern| facts.expand(pattern).is_empty());
    unknown.map(|pattern| format!("`{pattern}`")).collect()
}

fn candidate(path: &PathBuf, kind: Kind) -> Result<Candidate, CliError> {
    let text = fs::read_to_string(path).map_err(|cause| CliError::Read {
        path: path.clone(),
        cause,
    })?;
    let unusable = |cause: String| CliError::Policy {
        path: path.clone(),
        cause,
    };
    let document = Document::parse(&text).map_err(|error| unusable(error.to_string()))?;
    if let Some(error) = document.unreadable().next() {
        return Err(unusable(error.to_string()));
    }
    for (position, statement) in document.readable() {
        if let Some(reason) = refused(statement, kind) {
            return Err(unusable(format!("statement {}: {reason}", position + 1)));
        }
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Candidate {
        name: name.to_string_lossy().into_owned(),
        document,
        kind,
    })
}

/// Why AWS refuses a statement: IAM user guide, "Grammar of the IAM JSON policy language"; Organizations user guide, "SCP
/// syntax" and "RCP syntax".
fn refused(statement: &Statement, kind: Kind) -> Option<String> {
    if let Some(operator) = statement.unknown_operators().next() {
        return Some(format!("condition operator `{operator}` is unknown"));
    }
    if statement.resources.is_none() {
        return Some("element `Resource` is missing".to_owned());
    }
    match (kind, &statement.principals) {
        (Kind::ResourceControl, None) => Some("element `Principal` is missing".to_owned()),
        (Kind::OfIdentity | Kind::ServiceControl, Some(_)) => {
            Some("`Principal` belongs into policies of resources, and AWS refuses it here".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(json: &str) -> Statement {
        let document = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{json}}}"#)).unwrap();
        let (_, statement) = document.readable().next().unwrap();
        statement.clone()
    }

    #[test]
    fn statements_that_aws_refuses_are_refused() {
        let allow = |rest: &str| statement(&format!(r#"{{"Effect":"Allow","Action":"*"{rest}}}"#));
        let (plain, without) = (allow(r#","Resource":"*""#), allow(""));
        let odd = allow(r#","Resource":"*","Condition":{"StringEqual":{"aws:RequestedRegion":"x"}}"#);
        let named = allow(r#","Resource":"*","Principal":"*""#);
        for kind in [Kind::OfIdentity, Kind::ServiceControl] {
            assert_eq!(refused(&plain, kind), None);
            assert!(refused(&without, kind).unwrap().contains("`Resource` is missing"));
            assert!(refused(&odd, kind).unwrap().contains("`StringEqual` is unknown"));
            assert!(refused(&named, kind).unwrap().contains("policies of resources"));
        }
        assert_eq!(refused(&named, Kind::ResourceControl), None);
        assert!(
            refused(&plain, Kind::ResourceControl)
                .unwrap()
                .contains("`Principal` is missing")
        );
    }

    #[test]
    fn actions_that_nobody_knows_are_told() {
        let told = |actions: &str| {
            let text = format!(r#"{{"Effect":"Deny","Action":[{actions}],"Resource":"*"}}"#);
            unknown_actions(&statement(&text), Facts::embedded())
        };
        assert_eq!(
            told(r#""ec2:RunInstancs","ec2:runinstances","sns:Pub*","sns:Publsh*","*""#),
            ["`ec2:RunInstancs`", "`sns:Publsh*`"]
        );
    }
}
