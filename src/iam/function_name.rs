//! Functions of Lambda as requests name them.

use super::arn::is_account_id;

/// A function with the version or alias that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionName<'t> {
    /// The function.
    pub name: &'t str,
    /// Version or alias, if the request names one beside the name.
    pub qualifier: Option<&'t str>,
}

impl<'t> FunctionName<'t> {
    /// Reads a name, an ARN or a part of one. Lambda API reference, `Invoke`: each of what stands before the name may be left out,
    /// `(arn:aws:lambda:)?(region:)?(account:)?(function:)?name(:qualifier)?`.
    pub fn parse(text: &'t str) -> Self {
        let mut rest = text;
        if let Some(behind) = rest.strip_prefix("arn:") {
            rest = behind.splitn(3, ':').nth(2).unwrap_or(rest);
        }
        for is_before in [is_region, is_account_id, is_kind] {
            match rest.split_once(':') {
                Some((part, behind)) if is_before(part) => rest = behind,
                _ => {}
            }
        }
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (rest, None),
        };
        Self { name, qualifier }
    }
}

fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_land = parts.next().is_some_and(|part| part.len() == 2);
    let number = parts.next_back().unwrap_or_default();
    is_land && parts.next().is_some() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_kind(text: &str) -> bool {
    text == "function"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn name_and_qualifier_are_told_apart_in_every_form(
            name in "[a-z]{1,6}(-function|_1|)",
            qualifier in prop::option::of("prod|7|[$]LATEST"),
        ) {
            let tail = qualifier.as_ref().map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
            let forms = ["", "function:", "111122223333:", "111122223333:function:", "eu-west-1:111122223333:function:",
                "arn:aws:lambda:us-gov-west-1:111122223333:function:"];
            for before in forms {
                // A bare `function` in front of a qualifier is taken for the kind, as by Lambda.
                prop_assume!(name != "function");
                let text = format!("{before}{name}{tail}");
                let found = FunctionName::parse(&text);
                prop_assert_eq!((found.name, found.qualifier), (name.as_str(), qualifier.as_deref()), "{}", text);
            }
        }
    }
}
