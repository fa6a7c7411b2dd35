//! Accounts and regions as typed.

use crate::iam::arn::is_account_id;

/// Parses an account id. CloudTrail's folders have no other names for accounts.
pub(super) fn parse_account(text: &str) -> Result<String, String> {
    match is_account_id(text) {
        true => Ok(text.to_owned()),
        false => Err("write an account id of twelve digits, such as `111122223333`".to_owned()),
    }
}

/// Parses the code of a region, such as `eu-west-1` or `us-gov-east-1`: letters by parts, and a number
/// (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>).
pub(super) fn parse_region(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_region = match parts.as_slice() {
        [names @ .., number] => {
            let is_name = |name: &&str| name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_lowercase());
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            names.len() > 1 && names.iter().all(is_name) && is_number
        }
        [] => false,
    };
    match is_region {
        true => Ok(text.to_owned()),
        false => Err("write the code of a region in lower case, such as `eu-west-1`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parse: impl Fn(&str) -> Result<String, String>, right: &str, wrong: &str) {
        for text in right.split(' ') {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        for text in wrong.split(' ') {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("").is_err());
    }

    #[test]
    fn what_cannot_be_an_account_or_a_region_is_refused() {
        check(
            parse_account,
            "111122223333",
            "123 44445555666 prod arn:aws:iam::111122223333:root",
        );
        check(
            parse_region,
            "eu-west-1 us-gov-east-1 us-isob-east-1 eusc-de-east-1 ap-southeast-10",
            "EU-west-1 nowhere eu-west west-1 eu-west-1a eu--1 global",
        );
    }
}
