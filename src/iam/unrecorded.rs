//! Calls of data planes that CloudTrail does not record, or of which nobody says for certain that it does.

use super::wildcard::action_matches;

const CLOUDSEARCH: &str = "of CloudSearch only the calls that configure domains are recorded";
const MEDIASTORE: &str = "of MediaStore only the calls that manage containers are recorded";
const LAKE_FORMATION: &str = "it is a high-volume data plane operation, which Lake Formation does not log";
const SMTP: &str = "mail that is sent through the SMTP interface of SES is not recorded";
const UNCERTAIN: &str = "the service's guide does not say for certain that it is recorded";

/// Patterns of actions, and why their use may leave no event. They stand behind the guide of their service.
const UNRECORDED: [(&str, &str); 31] = [
    // https://docs.aws.amazon.com/cloudsearch/latest/developerguide/logging-cs-api-calls.html
    ("cloudsearch:document", CLOUDSEARCH),
    ("cloudsearch:search", CLOUDSEARCH),
    ("cloudsearch:suggest", CLOUDSEARCH),
    // https://docs.aws.amazon.com/mediastore/latest/ug/logging-using-cloudtrail.html
    ("mediastore:DeleteObject", MEDIASTORE),
    ("mediastore:DescribeObject", MEDIASTORE),
    ("mediastore:GetObject", MEDIASTORE),
    ("mediastore:ListItems", MEDIASTORE),
    ("mediastore:PutObject", MEDIASTORE),
    // https://docs.aws.amazon.com/lake-formation/latest/dg/logging-using-cloudtrail.html and "Security event logging"
    ("lakeformation:GetTableObjects", LAKE_FORMATION),
    ("lakeformation:GetWorkUnitResults", LAKE_FORMATION),
    ("lakeformation:UpdateTableObjects", LAKE_FORMATION),
    // https://docs.aws.amazon.com/ses/latest/dg/logging-using-cloudtrail.html
    ("ses:SendRawEmail", SMTP),
    // https://docs.aws.amazon.com/xray/latest/devguide/xray-api-cloudtrail.html
    ("xray:GetSamplingRules", UNCERTAIN),
    ("xray:GetSamplingTargets", UNCERTAIN),
    ("xray:GetServiceGraph", UNCERTAIN),
    ("xray:GetTimeSeriesServiceStatistics", UNCERTAIN),
    ("xray:PutTelemetryRecords", UNCERTAIN),
    // https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/monitoring-cloudtrail.html
    ("kinesisvideo:Get*StreamingSessionURL", UNCERTAIN),
    ("kinesisvideo:GetIceServerConfig", UNCERTAIN),
    ("kinesisvideo:GetImages", UNCERTAIN),
    // https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html
    ("cognito-sync:ListRecords", UNCERTAIN),
    ("cognito-sync:UpdateRecords", UNCERTAIN),
    // https://docs.aws.amazon.com/lexv2/latest/dg/monitoring-cloudtrail.html and
    // https://docs.aws.amazon.com/lex/latest/dg/monitoring-aws-lex-cloudtrail.html
    ("lex:*Session", UNCERTAIN),
    ("lex:PostContent", UNCERTAIN),
    ("lex:PostText", UNCERTAIN),
    ("lex:RecognizeText", UNCERTAIN),
    ("lex:RecognizeUtterance", UNCERTAIN),
    ("lex:StartConversation", UNCERTAIN),
    // https://docs.aws.amazon.com/workmail/latest/adminguide/logging-using-cloudtrail.html
    ("workmailmessageflow:*", UNCERTAIN),
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-logging-using-cloudtrail.html
    ("events:PutEvents", UNCERTAIN),
    ("events:PutPartnerEvents", UNCERTAIN),
];

/// Why a use of an action may leave no event, by the action's full name.
pub(super) fn reason(action: &str) -> Option<&'static str> {
    let (service, name) = action.split_once(':')?;
    let is_meant = |pattern: &str| {
        let parts = pattern.split_once(':');
        parts.is_some_and(|(prefix, pattern)| prefix == service && action_matches(pattern, name))
    };
    let (_, reason) = UNRECORDED.iter().find(|(pattern, _)| is_meant(pattern))?;
    Some(reason)
}

#[cfg(test)]
mod tests {
    use crate::iam::Facts;

    #[test]
    fn calls_of_a_data_plane_may_leave_no_event_and_those_that_configure_it_do() {
        let facts = Facts::embedded();
        let reason = |action: &str| facts.never_logged_reason(facts.find(action).unwrap());
        for action in [
            "cloudsearch:search",
            "mediastore:GetObject",
            "lakeformation:GetWorkUnitResults",
            "xray:GetSamplingTargets",
            "kinesisvideo:GetHLSStreamingSessionURL",
            "workmailmessageflow:GetRawMessageContent",
            "events:PutPartnerEvents",
            "ses:SendRawEmail",
        ] {
            assert!(reason(action).is_some(), "{action}");
        }
        for action in [
            "cloudsearch:CreateDomain",
            "mediastore:CreateContainer",
            "lakeformation:GetWorkUnits",
            "xray:CreateGroup",
            "events:PutRule",
        ] {
            assert!(reason(action).is_none(), "{action}");
        }
    }

    #[test]
    fn every_pattern_matches_an_action() {
        for (pattern, _) in super::UNRECORDED {
            assert!(!Facts::embedded().expand(pattern).is_empty(), "{pattern}");
        }
    }
}
