//! What is not known, or not documented, and what follows from that.

use super::*;

#[test]
fn what_is_not_known_is_named_and_only_where_it_matters() {
    let in_network = allow(r#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#);
    let outside = policy(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},
           {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}"#,
    );
    let mut asked = request(session(), "s3:GetObject", OBJECT);
    asked.context = ContextKeys::partial();
    let known = |policies: &PolicySet<'_>| text(&asked, policies);
    let only = PolicySet {
        identity: many(&in_network),
        ..PolicySet::none()
    };
    assert_eq!(known(&only), "not known: value of the condition key `aws:SourceIp`");
    let unless = PolicySet {
        identity: many(&outside),
        ..PolicySet::none()
    };
    assert_eq!(
        known(&unless),
        "not known: value of the condition key `aws:RequestedRegion`"
    );
    // A denial that is not certain does not matter where nothing allows.
    let nothing = policy("");
    let moot = PolicySet {
        identity: many(&nothing),
        boundary: one(&outside),
        ..PolicySet::none()
    };
    assert_eq!(known(&moot), "not allowed by identity policies");
    let broken = Document::parse(r#"{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}"#).unwrap();
    let unreadable = PolicySet {
        identity: many(&broken),
        ..PolicySet::none()
    };
    assert_eq!(
        known(&unreadable),
        "not known: identity policies: `p` statement 1 cannot be read"
    );
    assert!(known(&PolicySet::unknown()).starts_with("not known: identity policies; permissions boundary;"));
}

#[test]
fn conditions_whose_result_is_not_documented_are_unknown() {
    let asked = |condition: &str| {
        let document = allow(&format!(r#","Condition":{{{condition}}}"#));
        let policies = PolicySet {
            identity: many(&document),
            ..PolicySet::none()
        };
        let mut asked = request(session(), "s3:GetObject", OBJECT);
        asked
            .context
            .set("aws:TagKeys", KeyState::Present(vec!["a".to_owned(), "b".to_owned()]));
        asked.context.set("aws:SourceVpc", KeyState::ValueUnknown);
        evaluate(&asked, &policies).effectiveness()
    };
    assert_eq!(asked(r#""StringEquals":{"aws:TagKeys":"a"}"#), Effectiveness::Unknown);
    assert_eq!(asked(r#""StringEqual":{"aws:TagKeys":"a"}"#), Effectiveness::Unknown);
    assert_eq!(
        asked(r#""ForAnyValue:NumericEquals":{"aws:TagKeys":"1"}"#),
        Effectiveness::Unknown
    );
    assert_eq!(asked(r#""Null":{"aws:SourceVpc":"true"}"#), Effectiveness::Fails);
    assert_eq!(asked(r#""Null":{"aws:SourceVpc":"false"}"#), Effectiveness::Succeeds);
    assert_eq!(
        asked(r#""StringEquals":{"aws:SourceVpc":"vpc-1"}"#),
        Effectiveness::Unknown
    );
    // One condition that fails for certain is enough.
    assert_eq!(
        asked(r#""StringEqual":{"a":"b"},"Bool":{"aws:SecureTransport":true}"#),
        Effectiveness::Fails
    );
}

#[test]
fn resources_that_are_not_known_fit_only_the_star() {
    let asked = |document: &Document| {
        let policies = PolicySet {
            identity: many(document),
            ..PolicySet::none()
        };
        let mut asked = request(session(), "s3:GetObject", OBJECT);
        asked.resource.name = ResourceName::Unknown;
        text(&asked, &policies)
    };
    assert!(asked(&allow("")).starts_with("allowed"));
    let some = policy(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::data/*"}"#);
    assert_eq!(asked(&some), "not known: name of the resource");
    let nothing = policy(r#"{"Effect":"Allow","Action":"*","NotResource":"*"}"#);
    assert_eq!(asked(&nothing), "not allowed by identity policies");
    let misplaced = policy(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:x"}"#);
    let policies = PolicySet {
        identity: many(&misplaced),
        ..PolicySet::none()
    };
    let queue = request(session(), "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:x");
    let wanted = "not known: identity policies: `p` statement 1: what AWS makes of it is not documented";
    assert_eq!(text(&queue, &policies), wanted);
}
