//! Amazon Resource Names.

/// The account that an ARN names; `None` when it names none, as `arn:aws:iam::aws:policy/…` and bucket ARNs.
pub fn account_of_arn(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    is_account_id(account).then_some(account)
}

/// Whether an ARN is that of a role that an AWS service made for itself: nobody else can edit it, and no control policy binds
/// it.
pub fn is_service_linked(arn: &str) -> bool {
    arn.contains(":role/aws-service-role/")
}

/// Whether an ARN is that of a role that IAM Identity Center made of a permission set.
pub fn is_of_permission_set(arn: &str) -> bool {
    arn.contains(":role/aws-reserved/sso.amazonaws.com/")
}

/// Whether an ARN is that of a role which AWS keeps, as IAM Identity Center does: nobody else can edit its trust policy.
pub fn is_reserved(arn: &str) -> bool {
    arn.contains(":role/aws-reserved/")
}

/// Whether a text is an account id: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_is_linked_to_a_service_by_its_path_from_the_first_part_on() {
        assert!(is_service_linked(
            "arn:aws:iam::111122223333:role/aws-service-role/sqs.amazonaws.com/r"
        ));
        assert!(!is_service_linked(
            "arn:aws:iam::111122223333:role/team/aws-service-role/r"
        ));
        assert!(!is_service_linked("arn:aws:iam::111122223333:user/aws-service-role/u"));
    }

    #[test]
    fn account_is_the_fifth_part() {
        for (arn, wanted) in [
            ("arn:aws:iam::111122223333:role/a:b", Some("111122223333")),
            (
                "arn:aws-us-gov:sts::111122223333:assumed-role/a/b",
                Some("111122223333"),
            ),
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
            ("arn:aws:s3:::bucket", None),
            ("arn:aws:iam::11112222333٣:role/a", None),
            ("111122223333", None),
        ] {
            assert_eq!(account_of_arn(arn), wanted, "{arn}");
        }
    }
}
