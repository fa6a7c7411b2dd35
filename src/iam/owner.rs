//! Whose a resource is that a request names without an ARN: some requests say the account beside the name or in it.

use std::borrow::Cow;

use super::arn::is_account_id;
use super::parameters::Parameters;
use super::parameters::part_of;

/// Services and the parameters that may hold the account of what they name.
const PARAMETERS: &[(&str, &str)] = &[
    ("ecr", "registryId"),
    ("glue", "catalogId"),
    ("lambda", "functionName"),
    ("sqs", "queueUrl"),
    ("sqs", "queueOwnerAWSAccountId"),
];

/// Parameters that may hold the account of what an action is used on.
pub(super) fn account_parameters(action: &str) -> Vec<&'static str> {
    let service = action.split(':').next().unwrap_or_default();
    let of_service = PARAMETERS.iter().filter(|(of, _)| *of == service);
    of_service.map(|(_, parameter)| *parameter).collect()
}

/// The account that one of the parameters says, as `444455556666`, `444455556666:function:name` or
/// `https://…/444455556666/name`.
pub(super) fn stated_account<'a>(names: &[&str], parameters: &Parameters<'a>) -> Option<Cow<'a, str>> {
    let mut texts = names.iter().flat_map(|name| parameters.strings_at(name));
    texts.find_map(|text| part_of(&text, |text| text.split([':', '/']).find(|part| is_account_id(part))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn account_is_found_beside_a_name_and_in_it() {
        for (action, parameters, account) in [
            ("ecr:BatchGetImage", json!({"registryId": "444455556666"}), true),
            (
                "lambda:InvokeFunction",
                json!({"functionName": "444455556666:function:pay:live"}),
                true,
            ),
            (
                "sqs:SendMessage",
                json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/444455556666/q"}),
                true,
            ),
            (
                "sqs:GetQueueUrl",
                json!({"queueName": "q", "queueOwnerAWSAccountId": "444455556666"}),
                true,
            ),
            ("lambda:InvokeFunction", json!({"functionName": "pay"}), false),
            ("sqs:SendMessage", json!({"registryId": "444455556666"}), false),
        ] {
            let parameters = parameters.to_string();
            let found = stated_account(&account_parameters(action), &Parameters::parse(Some(&parameters)));
            assert_eq!(
                found.as_deref(),
                account.then_some("444455556666"),
                "{action} {parameters}"
            );
        }
    }
}
