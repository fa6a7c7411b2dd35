//! Whose a resource is that a request names without an ARN: some requests say the account beside the name or in it.

use serde_json::Value;

use super::parameters::strings_at;

/// Services and the parameters that may hold the account of what they name.
const PARAMETERS: &[(&str, &str)] = &[
    ("ecr", "registryId"),
    ("glue", "catalogId"),
    ("lambda", "functionName"),
    ("sqs", "queueUrl"),
    ("sqs", "queueOwnerAWSAccountId"),
];

/// The account that a request says, as `444455556666`, `444455556666:function:name` or `https://…/444455556666/name`.
///
/// The parameters are asked for only if the service has requests that say it.
pub(super) fn stated_account<'v>(action: &str, parameters: impl Fn() -> &'v Value) -> Option<String> {
    let service = action.split(':').next().unwrap_or_default();
    let of_service = PARAMETERS.iter().filter(|(of, _)| *of == service);
    let mut texts = of_service.flat_map(|(_, parameter)| strings_at(parameters(), parameter));
    texts.find_map(|text| {
        let mut parts = text.split([':', '/']);
        parts.find(|part| is_account(part)).map(str::to_owned)
    })
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
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
            let found = stated_account(action, || &parameters);
            assert_eq!(
                found.as_deref(),
                account.then_some("444455556666"),
                "{action} {parameters}"
            );
        }
    }
}
