//! Proposed policies as text: what a name holds is data in every format.

use std::borrow::Cow;

use hcl::eval::Context;
use hcl::eval::Evaluate;
use hcl::eval::FuncArgs;
use hcl::eval::FuncDef;
use hcl::eval::ParamType;
use serde_json::Value;
use serde_json::json;
use trimtrail::iam::document::Document;
use trimtrail::policy::Change;
use trimtrail::policy::Place;
use trimtrail::policy::PrincipalKey;
use trimtrail::policy::PrincipalUse;
use trimtrail::policy::Proposal;
use trimtrail::policy::ProposedPolicy;
use trimtrail::policy::StatementReasons;
use trimtrail::policy::Subject;
use trimtrail::policy::Thresholds;
use trimtrail::policy::Window;
use trimtrail::report::PolicyFile;
use trimtrail::report::PolicyFiles;
use trimtrail::report::PolicyFormat;
use trimtrail::report::PolicyFrame;
use trimtrail::report::ReportError;
use trimtrail::report::policy_text;

use crate::support::process;

/// Texts that would act in Terraform, CloudFormation, shells or editors.
const HOSTILE: &[&str] = &[
    r#"${file("/etc/passwd")}"#,
    r#"a${a}%${file("/etc/passwd")}"#,
    r#"%{ for x in y }%{ endfor }"#,
    r#"$${x} %%{y} $$${z} %%%{z} $%${w}"#,
    r#"quote " and \" and \"#,
    "line\nfeed\r\ttab */ // # <<EOT\nEOT",
    "\u{1b}[2J\u{202e}\u{2028}\u{0}\u{10ffff} é",
    "$\"",
    "%\\\"${x}",
    "$",
    "ends with %",
];

fn subject(arn: &str) -> Subject<'static> {
    Subject {
        key: PrincipalKey {
            arn: arn.to_owned(),
            unique_id: None,
        },
        member: None,
        absence: None,
        is_replaced: false,
        deeds: Cow::Owned(PrincipalUse::default()),
    }
}

fn frame() -> PolicyFrame<'static> {
    PolicyFrame {
        mode: "trim",
        window: Window {
            since: 0,
            until: 86_400_000_000,
        },
        thresholds: Thresholds {
            min_coverage: 0.95,
            min_window_days: 30,
        },
        facts_date: "2026-01-01",
    }
}

fn files_of(proposals: &[Proposal<'_>], format: PolicyFormat) -> (Vec<PolicyFile>, Vec<ReportError>) {
    let mut writer = PolicyFiles::new(frame(), format);
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    for proposal in proposals {
        match writer.add(proposal) {
            Ok(added) => files.extend(added),
            Err(error) => refused.push(error),
        }
    }
    (files, refused)
}

/// A policy in which every text is the given one.
fn proposal<'s>(subject: &'s Subject<'s>, text: &str) -> Proposal<'s> {
    let document = json!({"Version": "2012-10-17", "Id": text, "Statement": [{
        "Sid": text, "Effect": "Allow", "Action": [text, "s3:GetObject"], "Resource": text,
        "Condition": {"StringEquals": {text: text, "aws:x": [text, "y"]}},
    }]});
    Proposal {
        subject,
        coverage: None,
        policies: vec![ProposedPolicy {
            name: text.to_owned(),
            place: Place::Inline(subject.key.arn.clone()),
            change: Change::Edit,
            present: Vec::new(),
            present_document: None,
            document: Document::parse(&document.to_string()).unwrap(),
            reasons: vec![StatementReasons {
                sid: Some(text.to_owned()),
                remarks: vec![text.to_owned()],
                ..StatementReasons::default()
            }],
            gone: Vec::new(),
            holders: Vec::new(),
            notes: vec![text.to_owned()],
        }],
        notes: vec![text.to_owned()],
        refusals: Vec::new(),
    }
}

/// The attributes of all blocks as Terraform evaluates them.
fn evaluated(text: &str) -> Vec<Value> {
    let body: hcl::Body = hcl::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let same = |args: FuncArgs| args.first().cloned().ok_or_else(|| "no argument".to_owned());
    let mut context = Context::new();
    context.declare_func("jsonencode", FuncDef::builder().param(ParamType::Any).build(same));
    body.blocks()
        .map(|block| {
            let attributes = block.body.attributes();
            let values = attributes.map(|attribute| {
                let value: hcl::Value = attribute.expr.evaluate(&context).unwrap();
                (attribute.key.as_str().to_owned(), serde_json::to_value(value).unwrap())
            });
            Value::Object(values.collect())
        })
        .collect()
}

#[test]
fn hostile_names_in_terraform_are_the_literal_text() {
    for text in HOSTILE {
        let subject = subject("arn:aws:iam::111122223333:role/r");
        let proposal = proposal(&subject, text);
        let document = proposal.policies[0].document.to_value();
        let terraform = policy_text(&[proposal], frame(), PolicyFormat::Terraform).content;
        assert!(terraform.is_ascii(), "{terraform}");
        let blocks = evaluated(&terraform);
        assert_eq!(
            blocks,
            [json!({"name": text, "role": "r", "policy": document})],
            "{terraform}"
        );
    }
}

#[test]
fn hostile_names_are_data_in_json_cloudformation_and_typescript() {
    for text in HOSTILE {
        let subject = subject("arn:aws:iam::111122223333:role/r");
        let proposals = [proposal(&subject, text)];
        let document = proposals[0].policies[0].document.to_value();
        let of = |format| policy_text(&proposals, frame(), format).content;
        let json: Value = serde_json::from_str(&of(PolicyFormat::Json)).unwrap();
        assert_eq!(json[0]["policies"][0]["document"], document);
        let template: Value = serde_json::from_str(&of(PolicyFormat::CloudFormation)).unwrap();
        let resources = template["Resources"].as_object().unwrap();
        let resource = resources.values().next().unwrap();
        assert_eq!(resource["Properties"]["PolicyDocument"], document);
        let script = of(PolicyFormat::Cdk);
        assert!(script.is_ascii() && !script.contains('\u{1b}'));
        // A comment is one line, so that every other line belongs to the class.
        let code = script.lines().filter(|line| !line.trim_start().starts_with("//"));
        assert!(
            code.into_iter()
                .all(|line| !line.contains("<<EOT") || line.contains("\\n")),
            "{script}"
        );
    }
}

#[test]
fn text_that_a_format_would_replace_leaves_out_its_principal_alone() {
    let (hostile, plain) = (
        "arn:aws:iam::111122223333:role/hostile",
        "arn:aws:iam::111122223333:role/plain",
    );
    let subjects = [subject(hostile), subject(plain)];
    let with = |text| [proposal(&subjects[0], text), proposal(&subjects[1], "x")];
    let proposals = with("{{resolve:ssm-secure:x}}");
    for format in [PolicyFormat::CloudFormation, PolicyFormat::Cdk] {
        let written = policy_text(&proposals, frame(), format);
        let refused: Vec<String> = written.refused.iter().map(ToString::to_string).collect();
        assert_eq!(refused.len(), 1);
        for part in [hostile, "{{resolve:", "--format terraform"] {
            assert!(refused[0].contains(part), "{refused:?}");
        }
        assert!(
            written.content.contains(plain) && !written.content.contains(hostile),
            "{}",
            written.content
        );
        let (files, refused) = files_of(&proposals, format);
        assert_eq!((files.len(), refused.len()), (1, 1));
    }
    for format in [PolicyFormat::Json, PolicyFormat::Terraform, PolicyFormat::Diff] {
        assert!(policy_text(&proposals, frame(), format).refused.is_empty());
    }
    let proposals = with("${Token[AWS.Region.4]}");
    assert_eq!(policy_text(&proposals, frame(), PolicyFormat::Cdk).refused.len(), 1);
    assert!(
        policy_text(&proposals, frame(), PolicyFormat::CloudFormation)
            .refused
            .is_empty()
    );
}

#[test]
fn command_names_who_is_left_out_writes_the_others_and_says_that_it_is_incomplete() {
    let place = process::Place::new();
    let record = json!({"eventVersion": "1.11", "eventTime": "2026-09-01T00:00:00Z", "eventSource": "sqs.amazonaws.com",
        "eventName": "ListQueues", "eventID": "7c9a1c4e-0000-4000-8000-000000000001", "eventType": "AwsApiCall",
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "AWSService", "invokedBy": "x.amazonaws.com"}});
    place.write("a.json", json!({"Records": [record]}).to_string().as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let role = |name: &str, bucket: &str| {
        let statement =
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*")});
        json!({"RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::111122223333:role/{name}"),
            "Path": "/", "CreateDate": "2025-01-01T00:00:00Z", "AttachedManagedPolicies": [], "RolePolicyList":
            [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]})
    };
    let roles = [role("hostile", "{{resolve:ssm:x}}"), role("plain", "logs")];
    let snapshot = json!({"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": roles});
    let path = place.folder().join("iam.json");
    std::fs::write(&path, snapshot.to_string()).unwrap();
    let import = ["iam", "import", path.to_str().unwrap(), "--taken-at", "2026-09-02"];
    assert_eq!(process::run(&place.store(), &import).code, 0);
    for (format, code) in [("cdk", 4), ("cloudformation", 4), ("terraform", 0)] {
        let arguments = ["policy", "--principal", "*", "--mode", "generate", "--format", format];
        let ended = process::run(&place.store(), &arguments);
        let is_told = ended.stderr.contains("role/hostile` are left out");
        let is_written = |name: &str| ended.stdout.contains(&format!("role/{name}"));
        assert_eq!((ended.code, is_told), (code, code == 4), "{format}: {}", ended.stderr);
        assert_eq!(
            (is_written("plain"), is_written("hostile")),
            (true, code == 0),
            "{format}"
        );
    }
}

#[test]
fn files_have_names_of_their_own_inside_of_the_folder() {
    let arns = [
        "arn:aws:iam::1:role/a/../../etc",
        "arn:aws:iam::1:role/b/..",
        "arn:aws:iam::1:role/c/..",
    ];
    let subjects = arns.map(subject);
    for format in [PolicyFormat::Json, PolicyFormat::Terraform] {
        let proposals: Vec<Proposal<'_>> = subjects.iter().map(|subject| proposal(subject, "../x/\u{0}")).collect();
        let (files, _) = files_of(&proposals, format);
        let mut names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert!(
            names
                .iter()
                .all(|name| !name.contains(['/', '\\', '\0']) && !name.starts_with('.')),
            "{names:?}"
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn difference_shows_what_went() {
    let subject = subject("arn:aws:iam::111122223333:role/r");
    let mut proposal = proposal(&subject, "x");
    let present = r#"{"Version":"2012-10-17","Id":"x","Statement":[]}"#;
    proposal.policies[0].present_document = Some(Document::parse(present).unwrap());
    let text = policy_text(&[proposal], frame(), PolicyFormat::Diff).content;
    for line in [
        "--- none",
        "+++ arn:aws:iam::111122223333:role/r#x",
        "-  \"Statement\": []",
        "+  \"Statement\": [",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
