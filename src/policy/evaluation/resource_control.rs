//! Which actions resource control policies bind.

use super::service_of;
use super::truth::Truth;

/// Services whose resources resource control policies are known to bind (Organizations user guide, "List of AWS services
/// that support RCPs"). The list grows, so that of other services it is not known.
const RESOURCE_CONTROL_SERVICES: [&str; 10] = [
    "aoss",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
];

/// Whether resource control policies have a say in an action on a resource of a member account.
pub fn is_resource_controlled(action: &str) -> Truth {
    let service = service_of(action);
    match service.as_str() {
        _ if action.eq_ignore_ascii_case("kms:RetireGrant") => Truth::False,
        "sts" => Truth::True,
        other if RESOURCE_CONTROL_SERVICES.contains(&other) => Truth::True,
        _ => Truth::Unknown,
    }
}
