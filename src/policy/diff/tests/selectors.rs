//! What event selectors say against what the logs let one guess.

use super::*;

const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t";

/// The account's only trail with these basic selectors.
fn trails(selectors: &Value) -> Trails {
    Trails::read([json!({"TrailARN": TRAIL, "EventSelectors": selectors})
        .to_string()
        .as_str()])
    .unwrap()
}

/// A trail that records all management events of every region.
pub(super) fn trail_of_all_regions() -> Trails {
    let described = json!({"trailList": [{"TrailARN": TRAIL, "IsMultiRegionTrail": true}]}).to_string();
    let selectors = json!({"TrailARN": TRAIL, "EventSelectors": [{"ReadWriteType": "All"}]}).to_string();
    Trails::read([described.as_str(), selectors.as_str()]).unwrap()
}

fn on(actions: &Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

#[test]
fn told_selectors_decide_instead_of_what_the_logs_let_guess() {
    let mut case = Case::new(&[allow(&json!([
        "dynamodb:GetItem",
        "s3:GetObject",
        "kms:Decrypt",
        "sns:CreateTopic"
    ]))]);
    case.log().sources.clear();
    assert_eq!(
        case.verdicts(),
        [
            "dynamodb:GetItem unknown data-events-not-recorded",
            "kms:Decrypt unknown source-not-recorded",
            "s3:GetObject unused",
            "sns:CreateTopic unused"
        ]
    );
    let tables = json!({"Type": "AWS::DynamoDB::Table", "Values": ["arn:aws:dynamodb"]});
    case.usage.trails = trails(&json!([{"ReadWriteType": "All", "DataResources": [tables]}]));
    assert_eq!(
        case.verdicts(),
        [
            "dynamodb:GetItem unused",
            "kms:Decrypt unused",
            // The logs hold such events and the selectors do not ask for them: one of both is about something else.
            "s3:GetObject unknown not-selected",
            "sns:CreateTopic unused"
        ]
    );
    case.usage.trails =
        trails(&json!([{"ReadWriteType": "ReadOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]));
    assert_eq!(case.verdicts()[1], "kms:Decrypt unknown not-selected");
    assert_eq!(case.verdicts()[3], "sns:CreateTopic unknown not-selected");
}

#[test]
fn selector_of_single_resources_proves_nothing_about_others() {
    let get = json!("s3:GetObject");
    let statements = [
        on(&get, "arn:aws:s3:::a/x/*"),
        on(&get, "arn:aws:s3:::b/*"),
        on(&get, "*"),
    ];
    let verdicts = |values: &Value| {
        let mut verdicts = Vec::new();
        for statement in &statements {
            let mut case = Case::new(std::slice::from_ref(statement));
            let objects = json!({"Type": "AWS::S3::Object", "Values": values});
            case.usage.trails = trails(&json!([{"DataResources": [objects]}]));
            verdicts.extend(case.verdicts());
        }
        verdicts
    };
    let (unused, unknown) = ("s3:GetObject unused", "s3:GetObject unknown not-selected");
    assert_eq!(verdicts(&json!(["arn:aws:s3:::a/"])), [unused, unknown, unknown]);
    assert_eq!(
        verdicts(&json!(["arn:aws:s3:::a/", "arn:aws:s3:::b/"])),
        [unused, unused, unknown]
    );
    assert_eq!(verdicts(&json!(["arn:aws:s3"])), [unused, unused, unused]);
    assert_eq!(verdicts(&json!([])), [unknown, unknown, unknown]);
}

#[test]
fn trail_of_another_region_or_account_says_nothing_for_certain() {
    let objects = json!({"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::a/"]});
    let selectors = json!([{"DataResources": [objects]}]);
    let mut case = Case::new(&[
        on(&json!("s3:GetObject"), "arn:aws:s3:::a/*"),
        on(&json!("s3:GetObject"), "arn:aws:s3:::b/*"),
    ]);
    let read = |arn: &str, described: &Value| {
        let told = json!({"TrailARN": arn, "EventSelectors": selectors}).to_string();
        Trails::read([told.as_str(), described.to_string().as_str()]).unwrap()
    };
    let other = TRAIL.replace("eu-west-1", "us-east-1").replace("1111", "9999");
    let described = |flag: bool| json!({"trailList": [{"TrailARN": other, "IsMultiRegionTrail": flag, "IsOrganizationTrail": flag}]});
    let (unused, unknown) = ("s3:GetObject unused", "s3:GetObject unknown not-selected");
    case.usage.trails = read(&other, &described(true));
    assert_eq!(case.verdicts(), [unused, unknown]);
    // Not about this account: what the logs hold decides.
    case.usage.trails = read(&other, &described(false));
    assert_eq!(case.verdicts(), [unused, unused]);
    // Perhaps about it: then both must agree.
    case.usage.trails = read(&other, &json!({"trailList": []}));
    assert_eq!(case.verdicts(), [unused, unknown]);
    case.log().data.clear();
    assert_eq!(case.verdicts()[0], "s3:GetObject unknown data-events-not-recorded");
}
