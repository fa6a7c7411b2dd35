use super::*;

use serde_json::Value;
use serde_json::json;

const ARN: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t";
const HERE: Wanted<'_> = Wanted {
    account_id: "111122223333",
    is_read: true,
};

fn advanced(fields: &Value) -> Trails {
    let selectors = json!({"TrailARN": ARN, "AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": fields}]});
    Trails::read([selectors.to_string().as_str()]).unwrap()
}

fn field(name: &str, operator: &str, values: &[&str]) -> Value {
    json!({"Field": name, operator: values})
}

fn statement(resource: &Value) -> Statement {
    let text = json!({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}]}).to_string();
    let document = crate::iam::document::Document::parse(&text).unwrap();
    document.readable().next().unwrap().1.clone()
}

/// Whether reads of S3 objects are recorded with these conditions besides category and type.
fn records(conditions: &[Value], resource: &str) -> bool {
    let mut fields = vec![
        field("eventCategory", "Equals", &["Data"]),
        field("resources.type", "Equals", &["AWS::S3::Object"]),
    ];
    fields.extend(conditions.iter().cloned());
    let trails = advanced(&Value::from(fields));
    trails.data(HERE, "eu-west-1", &["AWS::S3::Object"], &statement(&json!(resource))) == Told::Recorded
}

#[test]
fn resources_count_only_if_all_of_them_are_asked_for() {
    let arn = |operator: &str, value: &str| [field("resources.ARN", operator, &[value])];
    let (a, all) = ("arn:aws:s3:::a/*", "*");
    assert!(records(&[], all));
    assert!(records(&arn("StartsWith", "arn:aws:s3:::a/"), a) && !records(&arn("StartsWith", "arn:aws:s3:::a/"), all));
    assert!(!records(&arn("StartsWith", "arn:aws:s3:::a/x"), a) && !records(&arn("StartsWith", "arn:aws:s3:::b/"), a));
    assert!(
        records(&arn("Equals", "arn:aws:s3:::a/x"), "arn:aws:s3:::a/x")
            && !records(&arn("Equals", "arn:aws:s3:::a/*"), a)
    );
    assert!(records(&arn("EndsWith", ".log"), "arn:aws:s3:::a/*.log") && !records(&arn("EndsWith", ".log"), a));
    assert!(
        records(&arn("NotStartsWith", "arn:aws:s3:::b/"), a) && !records(&arn("NotStartsWith", "arn:aws:s3:::a/x"), a)
    );
    assert!(!records(&arn("NotStartsWith", "arn:aws:s3:::b/"), all) && !records(&arn("NotEndsWith", ".log"), a));
    assert!(records(&arn("NotEquals", "arn:aws:s3:::b/x"), a) && !records(&arn("NotEquals", "arn:aws:s3:::a/x"), a));
    let variable = "arn:aws:s3:::a/${aws:username}/*";
    assert!(records(&arn("StartsWith", "arn:aws:s3:::a/"), variable));
    assert!(!records(&arn("StartsWith", "arn:aws:s3:::a/$"), variable));
    assert!(!records(&arn("NotEquals", "arn:aws:s3:::a/me/x"), variable));
}

#[test]
fn conditions_on_what_is_not_known_beforehand_prove_nothing() {
    for condition in [
        field("eventName", "Equals", &["GetObject"]),
        field("eventName", "NotEquals", &["HeadObject"]),
        field(
            "userIdentity.arn",
            "NotStartsWith",
            &["arn:aws:sts::111122223333:assumed-role/x"],
        ),
        field("sessionCredentialFromConsole", "Equals", &["true"]),
        field("somethingNew", "Equals", &["x"]),
        field("readOnly", "Equals", &["false"]),
    ] {
        assert!(!records(std::slice::from_ref(&condition), "*"), "{condition}");
    }
    assert!(records(&[field("readOnly", "Equals", &["true"])], "*"));
}

#[test]
fn each_resource_of_a_statement_must_be_recorded() {
    let data = |start: &str| {
        json!({"FieldSelectors": [field("eventCategory", "Equals", &["Data"]),
            field("resources.type", "Equals", &["AWS::S3::Object"]), field("resources.ARN", "StartsWith", &[start])]})
    };
    let both = [data("arn:aws:s3:::a/"), data("arn:aws:s3:::b/")];
    let text = json!({"TrailARN": ARN, "AdvancedEventSelectors": both}).to_string();
    let trails = Trails::read([text.as_str()]).unwrap();
    let told = |resources: &Value| trails.data(HERE, "eu-west-1", &["AWS::S3::Object"], &statement(resources));
    assert_eq!(told(&json!(["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"])), Told::Recorded);
    assert_eq!(
        told(&json!(["arn:aws:s3:::a/*", "arn:aws:s3:::c/*"])),
        Told::NotRecorded
    );
}

#[test]
fn management_events_are_told_by_kind_and_source() {
    let management = |more: Option<Value>| {
        let mut fields = vec![field("eventCategory", "Equals", &["Management"])];
        fields.extend(more);
        advanced(&Value::from(fields))
    };
    let told = |trails: &Trails, is_read: bool, source: Option<&str>| {
        trails.management(Wanted { is_read, ..HERE }, "eu-west-1", source) == Told::Recorded
    };
    let kms = Some("kms.amazonaws.com");
    assert!(told(&management(None), true, kms) && told(&management(None), false, None));
    let without_kms = management(Some(field("eventSource", "NotEquals", &["kms.amazonaws.com"])));
    assert!(!told(&without_kms, true, kms) && told(&without_kms, true, None));
    let without_other = management(Some(field("eventSource", "NotEquals", &["ec2.amazonaws.com"])));
    assert!(!told(&without_other, true, None));
    let writes = management(Some(field("readOnly", "Equals", &["false"])));
    assert!(told(&writes, false, None) && !told(&writes, true, None));
    assert!(!told(
        &management(Some(field("eventName", "NotEquals", &["X"]))),
        true,
        None
    ));
}

#[test]
fn values_for_all_resources_of_a_type_are_known_in_every_partition() {
    for (name, value, is_all) in [
        ("AWS::S3::Object", "arn:aws:s3", true),
        ("AWS::S3::Object", "arn:aws-us-gov:s3:::", true),
        ("AWS::Lambda::Function", "arn:aws:lambda", true),
        ("AWS::DynamoDB::Table", "arn:aws-cn:dynamodb", true),
        ("AWS::Lambda::Function", "arn:aws:s3", false),
        ("AWS::S3::Object", "arn:aws:s3:::bucket/", false),
    ] {
        let resources = json!([{"Type": name, "Values": [value]}]);
        let text = json!({"TrailARN": ARN, "EventSelectors": [{"DataResources": resources}]}).to_string();
        let trails = Trails::read([text.as_str()]).unwrap();
        let told = trails.data(HERE, "eu-west-1", &[name], &statement(&json!("*")));
        assert_eq!(told == Told::Recorded, is_all, "{name} {value}");
    }
}

#[test]
fn what_is_odd_is_refused_with_the_trail() {
    let basic = |selector: Value| json!({"TrailARN": ARN, "EventSelectors": [selector]});
    let fields = |fields: Value| json!({"TrailARN": ARN, "AdvancedEventSelectors": [{"FieldSelectors": fields}]});
    for (value, message) in [
        (basic(json!({"ReadWriteType": "Some"})), "`ReadWriteType` is `Some`"),
        (
            basic(json!({"DataResources": {}})),
            "`DataResources` is no list but an object",
        ),
        (
            basic(json!({"DataResources": [{"Type": "x", "Values": [1]}]})),
            "a value that is no text",
        ),
        (fields(json!([])), "no `eventCategory`"),
        (
            fields(json!([{"Field": "eventCategory", "Matches": ["Data"]}])),
            "operator `Matches`",
        ),
        (
            json!({"TrailARN": "arn:aws:s3:::b", "EventSelectors": []}),
            "its ARN is no trail's",
        ),
        (json!({"EventSelectors": []}), "neither event selectors nor trails"),
    ] {
        let error = Trails::read([value.to_string().as_str()]).unwrap_err().to_string();
        assert!(error.contains(message), "{error}, not {message}");
    }
}

#[test]
fn outputs_of_several_commands_are_read_in_any_order() {
    let selectors = json!({"TrailARN": ARN, "EventSelectors": [{"ReadWriteType": "All"}]}).to_string();
    let described = json!({"trailList": [{"TrailARN": ARN, "IsMultiRegionTrail": true, "IsOrganizationTrail": true}]});
    let text = format!("{described}\n[{selectors}]");
    let trails = Trails::read([text.as_str()]).unwrap();
    let elsewhere = Wanted {
        account_id: "444455556666",
        is_read: false,
    };
    assert_eq!(trails.management(elsewhere, "us-east-1", None), Told::Recorded);
    let alone = Trails::read([selectors.as_str()]).unwrap();
    assert_eq!(alone.management(elsewhere, "us-east-1", None), Told::PerhapsRecorded);
    assert_eq!(
        Trails::default().management(elsewhere, "us-east-1", None),
        Told::Nothing
    );
}
