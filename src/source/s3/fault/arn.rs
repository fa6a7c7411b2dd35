//! ARNs in the place of a bucket that the SDK makes no request of.

/// What the SDK says, in lower case, of an access point behind one endpoint for all buckets.
const PATH_STYLE: &str = "path-style addressing cannot be used with arn";
/// What it says of ARNs that it does not take.
const REFUSALS: [&str; 6] = [
    "invalid arn:",
    "invalid region in arn:",
    "region from arn `",
    "but arn (`",
    "access point arn",
    "invalid access point name",
];

/// What to say of such an ARN, which no repetition helps, by the SDK's words in lower case and as they are; `None` when
/// it is about something else.
pub(super) fn refusal(lower: &str, said: &str) -> Option<String> {
    if lower.contains(PATH_STYLE) {
        return Some(format!(
            "an access point cannot be asked in path style ({said}); leave `--path-style` out"
        ));
    }
    REFUSALS.iter().any(|refusal| lower.contains(refusal)).then(|| {
        format!(
            "the ARN in the place of the bucket cannot be used ({said}); name an access point as \
             `s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/prefix`, or the bucket behind it"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::Failure;
    use super::super::FaultKind;
    use super::super::Remedy;

    #[test]
    fn arn_that_cannot_be_used_is_final_whatever_its_name_says() {
        for (said, remedy) in [
            (
                "Invalid ARN: The ARN may only contain a single resource component after `accesspoint`.",
                "name an access point as",
            ),
            (
                "Invalid ARN: The access point name may only contain a-z, A-Z, 0-9 and `-`. Found: `credential.sso_token`",
                "name an access point as",
            ),
            (
                "Client was configured for partition `aws` but ARN (`arn:aws:s3:cn-north-1:111122223333:accesspoint:a`) has `aws-cn`",
                "name an access point as",
            ),
            (
                "Path-style addressing cannot be used with ARN buckets",
                "leave `--path-style` out",
            ),
        ] {
            let failure = Failure::without_answer(&format!("dispatch failure: other: {said}"));
            assert_eq!(
                (failure.fault.kind, failure.remedy),
                (FaultKind::Refused, Remedy::GiveUp)
            );
            let (found, hint) = failure.fault.found_and_remedy();
            assert!(found.contains(said) && hint.unwrap().starts_with(remedy), "{found}");
        }
    }
}
