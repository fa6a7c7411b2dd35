//! What an error message says about a refusal.
//!
//! Since 2021 most services write `User: ARN is not authorized to perform: ACTION on resource: ARN because …`
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>). The action it names is the
//! surest one that a record can hold.

/// What refused a call, as its error message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Full name of the action; hostile text until it is found in a catalogue.
    pub action: String,
    /// ARN of the resource, if it is named; hostile text.
    pub resource: Option<String>,
    /// Whether a `Deny` refused the call, rather than the lack of an `Allow`; `None` if the message does not say.
    pub is_explicit: Option<bool>,
    /// Kind of the policy that denies or does not allow, if named.
    pub policy: Option<PolicyKind>,
}

/// Kinds of policies that error messages name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Of the user, group or role.
    Identity,
    /// Of the resource.
    Resource,
    /// Permissions boundary.
    Boundary,
    /// Passed with the session.
    Session,
    /// Service control policy of the organization.
    ServiceControl,
    /// Resource control policy of the organization.
    ResourceControl,
    /// Of the VPC endpoint.
    VpcEndpoint,
    /// Trust policy of the role.
    RoleTrust,
}

/// Longest action that is believed; AWS's longest has 90 characters.
const MAX_ACTION: usize = 160;

/// Reads an error message; `None` if it names no action, as EC2's encoded messages.
pub(super) fn read(message: &str) -> Option<Denial> {
    const OPENING: &str = "not authorized to perform";
    let statements = message.match_indices(OPENING);
    let mut texts = statements.filter_map(|(start, _)| message.get(start + OPENING.len()..));
    texts.find_map(read_statement)
}

fn read_statement(after: &str) -> Option<Denial> {
    let after = after.trim_start_matches([':', ' ']);
    let action = after.split([' ', ',', ';']).next()?.trim_end_matches('.');
    let (service, name) = action.split_once(':')?;
    let is_service = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_action = !service.is_empty() && !name.is_empty() && action.len() <= MAX_ACTION;
    if !is_action || !service.bytes().all(is_service) || !name.bytes().all(is_name) {
        return None;
    }
    let resource = after.split_once("on resource: ").map(|(_, text)| text);
    let resource = resource
        .and_then(|text| text.split([' ', '"']).next())
        .unwrap_or_default();
    let is_explicit = after.contains("with an explicit deny");
    let is_implicit = after.contains("because no ");
    Some(Denial {
        action: action.to_owned(),
        resource: Some(resource.trim_end_matches('.').to_owned()).filter(|arn| arn.starts_with("arn:")),
        is_explicit: (is_explicit || is_implicit).then_some(is_explicit),
        policy: policy_kind(after),
    })
}

fn policy_kind(text: &str) -> Option<PolicyKind> {
    let kinds = [
        ("identity-based policy", PolicyKind::Identity),
        ("resource-based policy", PolicyKind::Resource),
        ("permissions boundary", PolicyKind::Boundary),
        ("session policy", PolicyKind::Session),
        ("service control policy", PolicyKind::ServiceControl),
        ("resource control policy", PolicyKind::ResourceControl),
        ("VPC endpoint policy", PolicyKind::VpcEndpoint),
        ("role trust policy", PolicyKind::RoleTrust),
    ];
    kinds
        .into_iter()
        .find(|(words, _)| text.contains(words))
        .map(|(_, kind)| kind)
}

impl PolicyKind {
    /// Name in reports and in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::VpcEndpoint => "VPC endpoint policy",
            Self::RoleTrust => "role trust policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn implicit_denial_names_action_resource_and_policy() {
        let message = "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: s3:GetObject on resource: \
            \"arn:aws:s3:::logs/a\" because no identity-based policy allows the s3:GetObject action";
        let denial = read(&message.replace('"', "")).unwrap();
        assert_eq!(denial.action, "s3:GetObject");
        assert_eq!(denial.resource.as_deref(), Some("arn:aws:s3:::logs/a"));
        assert_eq!(
            (denial.is_explicit, denial.policy),
            (Some(false), Some(PolicyKind::Identity))
        );
    }

    #[test]
    fn explicit_denial_of_an_organization_is_told_from_a_missing_allow() {
        let message = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ec2:RunInstances on resource: \
            arn:aws:ec2:eu-north-1:1:instance/* with an explicit deny in a service control policy";
        let denial = read(message).unwrap();
        assert_eq!(denial.is_explicit, Some(true));
        assert_eq!(denial.policy, Some(PolicyKind::ServiceControl));
    }

    #[test]
    fn ec2_message_is_read_behind_its_first_sentence() {
        let message = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/u is not authorized to \
            perform: ec2:GetPasswordData on resource: arn:aws:ec2:us-east-1:1:instance/i-1 because no identity-based \
            policy allows the ec2:GetPasswordData action. Encoded authorization failure message: x";
        assert_eq!(read(message).unwrap().action, "ec2:GetPasswordData");
    }

    #[test]
    fn message_without_an_action_says_nothing() {
        for message in [
            "Access Denied",
            "You are not authorized to perform this operation. Encoded authorization failure message: abc",
            "not authorized to perform: <script>:alert(1)",
            "not authorized to perform: s3:*",
        ] {
            assert_eq!(read(message), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_message_is_survived(head in ".{0,40}", tail in ".{0,80}") {
            let message = format!("{head}not authorized to perform: {tail}");
            let denial = read(&message);
            prop_assert!(denial.is_none_or(|denial| denial.action.contains(':')));
        }
    }
}
