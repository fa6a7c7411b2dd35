//! Resources that records name a little differently than policies, and those that they do not name.

use super::*;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:f";
const ALIAS: &str = "arn:aws:lambda:eu-west-1:111122223333:function:f:prod";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db";
const GROUP: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:/g";
const PROFILE: &str = "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.anthropic.claude";

/// What becomes of a call under a grant of its action on a resource, in the place of the present one.
fn fate_on(
    (action, arn): (&'static str, &'static str),
    parameters: Option<&'static str>,
    (proposed, present): (&str, &str),
) -> Vec<String> {
    let needs = needs(NeedKind::Certain, action, &[(arn, true)]);
    let mut made = call(&needs);
    made.parameters = parameters;
    let said = of_identity(&allow(action, proposed), &allow(action, present), &made);
    said.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn grant_in_the_form_that_aws_documents_explains_the_call_and_its_loss_is_a_denial() {
    let known = Some(r#"{"functionName":"f","qualifier":"prod"}"#);
    for (call, parameters, grant) in [
        (("lambda:InvokeFunction", ALIAS), known, ALIAS.to_owned()),
        (("lambda:InvokeFunction", ALIAS), known, format!("{FUNCTION}:*")),
        (("lambda:InvokeFunction", FUNCTION), None, format!("{FUNCTION}*")),
        (
            ("secretsmanager:GetSecretValue", SECRET),
            None,
            format!("{SECRET}-??????"),
        ),
        (("logs:FilterLogEvents", GROUP), None, format!("{GROUP}:*")),
    ] {
        assert_eq!(
            fate_on(call, parameters, (&grant, &grant)),
            Vec::<String>::new(),
            "{grant}"
        );
        assert_eq!(
            fate_on(call, parameters, (&grant, "*")),
            Vec::<String>::new(),
            "{grant}"
        );
        let lost = fate_on(call, parameters, ("arn:aws:s3:::x", &grant));
        assert_eq!(lost, ["denied"], "{grant}");
    }
}

#[test]
fn grant_on_a_name_that_is_not_compared_is_none() {
    let known = Some(r#"{"functionName":"f","qualifier":"prod"}"#);
    for (call, parameters, grant) in [
        (("lambda:InvokeFunction", ALIAS), known, FUNCTION),
        (("secretsmanager:GetSecretValue", SECRET), None, SECRET),
        (("logs:FilterLogEvents", GROUP), None, GROUP),
    ] {
        assert_eq!(fate_on(call, parameters, (grant, "*")), ["denied"], "{grant}");
    }
    // Which of several it was is not known.
    let one_secret = format!("{SECRET}-AbCdEf");
    let read = ("secretsmanager:GetSecretValue", SECRET);
    assert_eq!(fate_on(read, None, (&one_secret, "*")), ["unknown"]);
    assert_eq!(
        fate_on(("lambda:InvokeFunction", FUNCTION), None, (FUNCTION, "*")),
        ["unknown"]
    );
}

#[test]
fn grant_on_another_name_than_the_record_has_is_not_lost_without_a_word() {
    let queue = ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q");
    let other = "arn:aws:sqs:eu-west-1:111122223333:other";
    assert_eq!(fate_on(queue, None, ("arn:aws:sqs:*:*:x", other)), ["unknown"]);
    assert_eq!(fate_on(queue, None, (other, other)), ["unexplained"]);
}

/// Names of outcomes for a call of Bedrock through a profile that answered from eu-central-1.
fn routed(policies: &[&Document], layer: Layer) -> Vec<String> {
    let needs = needs(NeedKind::Certain, "bedrock:InvokeModel", &[(PROFILE, true)]);
    let mut made = call(&needs);
    (made.fields.event_source, made.fields.event_name) = ("bedrock.amazonaws.com", "Converse");
    (made.model_id, made.inference_region) = (Some(PROFILE), Some("eu-central-1"));
    let proposed: Vec<Document> = policies.iter().map(|policy| (*policy).clone()).collect();
    let present = [allow("*", "*")];
    let (_, said) = fate(trial(layer, &proposed, &[]), Some(&present), &made);
    said.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn policy_over_regions_is_asked_for_those_behind_an_inference_profile() {
    let outside = |regions: &str, but_for: &str| {
        document(&format!(
            r#"{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"StringNotEquals":{{"aws:RequestedRegion":[{regions}]}}{but_for}}}}}"#
        ))
    };
    let tried = |policy: &Document| routed(&[policy, &full_access()], Layer::ServiceControl(1));
    assert_eq!(tried(&outside(r#""eu-west-1""#, "")), ["denied", "unknown"]);
    // The profile may route to others.
    assert_eq!(tried(&outside(r#""eu-west-1","eu-central-1""#, "")), ["unknown"]);
    let but_for = r#","ArnNotLike":{"bedrock:InferenceProfileArn":"arn:*:bedrock:*:*:inference-profile/*"}"#;
    assert_eq!(tried(&outside(r#""eu-west-1""#, but_for)), Vec::<String>::new());
}

#[test]
fn inference_profile_is_not_enough_without_its_models() {
    let on = |resources: &str| {
        let policy = document(&format!(
            r#"{{"Effect":"Allow","Action":"bedrock:InvokeModel*","Resource":[{resources}]}}"#
        ));
        routed(&[&policy], Layer::Identity)
    };
    let profile = format!(r#""{PROFILE}""#);
    assert_eq!(on(&profile), ["denied"]);
    let with = |models: &str| on(&format!(r#"{profile},"arn:aws:bedrock:{models}""#));
    assert_eq!(with("*::foundation-model/anthropic.claude"), Vec::<String>::new());
    assert_eq!(with("eu-west-1::foundation-model/*"), ["denied", "unknown"]);
    assert_eq!(with("*::foundation-model/amazon.*"), ["denied", "unknown"]);
}

#[test]
fn model_that_is_called_directly_comes_through_no_profile() {
    let needs = needs(NeedKind::Certain, "bedrock:InvokeModel", &[]);
    let mut made = call(&needs);
    (made.fields.event_source, made.fields.event_name) = ("bedrock.amazonaws.com", "Converse");
    made.model_id = Some("anthropic.claude");
    let through = r#"{"Effect":"Deny","Action":"bedrock:*","Resource":"*",
        "Condition":{"ArnNotLike":{"bedrock:InferenceProfileArn":"arn:*:bedrock:*:*:inference-profile/*"}}}"#;
    let policies = [document(through), full_access()];
    let tried = |call: &ReplayedCall<'_>| {
        fate(trial(Layer::ServiceControl(1), &policies, &[]), None, call)
            .0
            .denied
    };
    assert_eq!(tried(&made), 1);
    made.model_id = Some("eu.anthropic.claude");
    assert_eq!(tried(&made), 0);
}
