//! `ReEncrypt`, which takes two keys of KMS: which of them an action is about.
//!
//! KMS API reference, `ReEncrypt`: "`kms:ReEncryptFrom` permission on the source KMS key", "`kms:ReEncryptTo` permission on
//! the destination KMS key". The record lists both, and nowhere is said in which order.

use std::borrow::Cow;

use super::parameters::Parameters;

/// One of the two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyEnd {
    /// The one that decrypts.
    Source,
    /// The one that encrypts anew.
    Destination,
}

/// What a record says of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NamedKey<'a> {
    /// An ARN of the record's resources.
    Recorded(&'a str),
    /// An ARN that is a parameter.
    Given(String),
    /// An id that is a parameter.
    Id(String),
}

impl KeyEnd {
    /// What an action is about; `None` for all that do not take two keys.
    pub(super) fn of(action: &str) -> Option<Self> {
        match action {
            "kms:ReEncryptFrom" => Some(Self::Source),
            "kms:ReEncryptTo" => Some(Self::Destination),
            _ => None,
        }
    }

    /// The key of this end; `None` if the record does not tell which it is.
    pub(super) fn key<'a>(self, recorded: &[&'a str], parameters: &Parameters<'_>) -> Option<NamedKey<'a>> {
        let keys: Vec<&'a str> = recorded.iter().copied().filter(|arn| is_key(arn)).collect();
        let own = self.parameter_of(parameters);
        if let Some(name) = own.as_deref().filter(|name| !is_alias(name)) {
            let found = keys.iter().find(|arn| is_named(arn, name));
            return match found {
                Some(arn) => Some(NamedKey::Recorded(arn)),
                None if is_key(name) => Some(NamedKey::Given(name.to_owned())),
                None => (!name.contains(':')).then(|| NamedKey::Id(name.to_owned())),
            };
        }
        let (first, others) = keys.split_first()?;
        // The same key at both ends is listed twice.
        if !others.is_empty() && others.iter().all(|arn| arn == first) {
            return Some(NamedKey::Recorded(first));
        }
        let other = self.opposite().parameter_of(parameters)?;
        let (opposite, rest): (Vec<&'a str>, Vec<&'a str>) = keys.iter().partition(|arn| is_named(arn, &other));
        match (opposite.as_slice(), rest.as_slice()) {
            ([_, ..], [arn]) => Some(NamedKey::Recorded(arn)),
            _ => None,
        }
    }

    fn opposite(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }

    /// How the request names the key of this end: by its ARN, its id or an alias.
    fn parameter_of(self, parameters: &Parameters<'_>) -> Option<String> {
        let name = match self {
            Self::Source => "sourceKeyId",
            Self::Destination => "destinationKeyId",
        };
        let values = parameters.strings_at(name);
        values.into_iter().next().map(Cow::into_owned)
    }
}

fn is_key(arn: &str) -> bool {
    arn.starts_with("arn:") && arn.contains(":key/")
}

fn is_alias(name: &str) -> bool {
    name.starts_with("alias/") || name.contains(":alias/")
}

/// Whether a key is the one of this ARN or id.
fn is_named(arn: &str, name: &str) -> bool {
    let id = arn.split_once(":key/").map(|(_, id)| id);
    arn == name || id == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
    const TWO: &str = "arn:aws:kms:eu-west-1:111122223333:key/2";

    fn ends<'a>(recorded: &[&'a str], text: &str) -> [Option<NamedKey<'a>>; 2] {
        let parameters = Parameters::parse(Some(text));
        [KeyEnd::Source, KeyEnd::Destination].map(|end| end.key(recorded, &parameters))
    }

    #[test]
    fn each_end_has_the_key_that_the_request_names_for_it() {
        let both = [Some(NamedKey::Recorded(ONE)), Some(NamedKey::Recorded(TWO))];
        for recorded in [[ONE, TWO], [TWO, ONE]] {
            for text in [
                format!(r#"{{"sourceKeyId":"{ONE}","destinationKeyId":"{TWO}"}}"#),
                r#"{"sourceKeyId":"1","destinationKeyId":"2"}"#.to_owned(),
                // The one that is not named is the other one.
                r#"{"destinationKeyId":"2"}"#.to_owned(),
                r#"{"sourceKeyId":"1","destinationKeyId":"alias/new"}"#.to_owned(),
            ] {
                assert_eq!(ends(&recorded, &text), both, "{recorded:?} {text}");
            }
        }
        let text = format!(r#"{{"sourceKeyId":"{ONE}","destinationKeyId":"2"}}"#);
        let given = [
            Some(NamedKey::Given(ONE.to_owned())),
            Some(NamedKey::Id("2".to_owned())),
        ];
        assert_eq!(ends(&[], &text), given);
    }

    #[test]
    fn key_that_is_listed_twice_is_at_both_ends() {
        let both = [Some(NamedKey::Recorded(ONE)), Some(NamedKey::Recorded(ONE))];
        assert_eq!(ends(&[ONE, ONE], "{}"), both);
        assert_eq!(ends(&[ONE, ONE], r#"{"destinationKeyId":"alias/x"}"#), both);
    }

    #[test]
    fn end_that_nothing_tells_is_not_known() {
        assert_eq!(ends(&[ONE, TWO], "{}"), [None, None]);
        assert_eq!(ends(&[ONE, TWO], r#"{"destinationKeyId":"alias/x"}"#), [None, None]);
        assert_eq!(ends(&[ONE], "{}"), [None, None]);
        let one = [None, Some(NamedKey::Recorded(ONE))];
        assert_eq!(ends(&[ONE], r#"{"destinationKeyId":"1"}"#), one);
    }
}
