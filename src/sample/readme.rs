//! `README.md` of an estate: what is planted and what a correct analysis finds, in numbers taken from the tally.

use serde_json::Value;

use super::estate::ACCOUNTS;
use super::estate::WORKLOAD_REGIONS;
use super::snapshot;
use super::tally::Tally;

/// Planted facts: label in `expected.json`, what it is, and what to watch out for.
const FACTS: [(&str, &str, &str); 18] = [
    (
        "root_use",
        "Root used in the management account",
        "sign-in with MFA, then three calls",
    ),
    (
        "root_through_a_service_is_no_root_use",
        "Not root use",
        "`Root` with `invokedBy`: Auto Scaling acts for the dev account",
    ),
    (
        "failed_console_login",
        "Failed console sign-ins",
        "root without MFA, and a user name that does not exist",
    ),
    (
        "console_login_without_mfa",
        "Console sign-in of an IAM user without MFA",
        "federated sign-ins also say `MFAUsed: No` and do not count",
    ),
    (
        "break_glass",
        "Break-glass",
        "sign-in in the management account, then three calls in prod",
    ),
    (
        "console_edit_of_managed_resource",
        "Console edits of what Terraform manages",
        "the same resources as in `terraform_edit`",
    ),
    (
        "terraform_edit",
        "Terraform's own edits",
        "from its pipeline role, with its user agent",
    ),
    (
        "omitted_parameters",
        "IAM write with omitted parameters",
        "`requestParameters` were too large to be recorded",
    ),
    (
        "permission_change",
        "Permission changes by hand",
        "a policy attached for an hour, a key switched off",
    ),
    (
        "service_linked_role_edit",
        "Service-linked role deleted by a person",
        "",
    ),
    (
        "logging_tampering_denied",
        "Attempts to stop trail and recorder",
        "denied by a service control policy",
    ),
    (
        "denied_attempt",
        "Denied attempts",
        "must never become grants; one is an `iam:PassRole`, one an `sts:AssumeRole`",
    ),
    (
        "pass_role",
        "Roles passed to services",
        "the background passes more, see below",
    ),
    (
        "assumed_from_outside_without_external_id",
        "Role assumed from outside without external id",
        "the monitoring vendor presents one and is no finding",
    ),
    (
        "secret_read_by_person",
        "Secrets read by people",
        "one secret by name and by ARN, a batch, a parameter path",
    ),
    (
        "key_used_far_away",
        "Old key used in `ap-southeast-1`",
        "two of the calls are denied",
    ),
    (
        "use_of_young_role",
        "First calls of a role made inside the window",
        "too young for a verdict on what it does not use",
    ),
    (
        "hostile_text",
        "Hostile text",
        "markup, a formula and an escape sequence in user agent and object key",
    ),
];

/// The text of the file.
pub(super) fn text(tally: &Tally, iam: &Value) -> String {
    let sections = [
        introduction(tally),
        organization(),
        records(tally),
        facts(tally),
        regions(tally),
        secrets(tally),
        passed_roles(tally),
        roles(tally, iam),
        limits(),
    ];
    sections.join("\n")
}

fn introduction(tally: &Tally) -> String {
    let config = tally.config();
    format!(
        "# Sample logs\n\n\
         The central log bucket of an imaginary organization, with IAM snapshots and the answers that a correct analysis\n\
         gives. No line comes from a real account. The generator in `src/sample/` wrote all of it, this file included:\n\
         seed {}, {} days from {}, about {} background events.\n\n\
         - `AWSLogs/`: the bucket, as CloudTrail lays it out.\n\
         - `iam/<account>/`: `aws iam get-account-authorization-details`, and the credential report where there are users.\n\
         - `iam/organization/`: the service control policies and what they are attached to.\n\
         - `expected.json`: the answers for programs. Every number below stands there, and the event ids of every planted\n  \
           fact under `planted`. A principal without an ARN goes by what the record has: a service by its name,\n  \
           another account as `arn:aws:iam::<account>:root`, the holder of a token or an assertion by `principalId`.\n",
        config.seed, config.days, config.first_day, config.events
    )
}

fn organization() -> String {
    let mut text = "## The organization\n\n| account | name | for | S3 data events |\n|---|---|---|---|\n".to_owned();
    for account in ACCOUNTS {
        let data_events = if account.data_events {
            "recorded"
        } else {
            "not recorded"
        };
        text.push_str(&format!(
            "| {} | {} | {} | {data_events} |\n",
            account.id, account.name, account.purpose
        ));
    }
    text.push_str(&format!(
        "\nWorkloads run in {}. `us-east-1` holds what CloudTrail records there for all regions: IAM, Organizations,\n\
         CloudFront, Route 53, sign-ins and the global STS endpoint.\n",
        code_list(&WORKLOAD_REGIONS)
    ));
    text
}

fn records(tally: &Tally) -> String {
    let objects = |kind: &str| tally.objects.get(kind).copied().unwrap_or(0);
    format!(
        "## Objects and records\n\n| what | number |\n|---|---|\n\
         | objects | {} |\n\
         | of these with events | {} |\n\
         | cut in the middle of the gzip stream, before the first whole record | {} |\n\
         | digest, Insight, aggregated, network activity | {}, {}, {}, {} |\n\
         | records in readable event objects | {} |\n\
         | events, each once | {} |\n\
         | copies that a second trail of prod delivered | {} |\n\
         | records that are not valid JSON (a raw control character) | {} |\n\
         | calls that two accounts recorded under one `sharedEventID` | {} |\n\
         | events in the folder of another day than their own | {} |\n\
         | events in the folder of another region (`events_in_another_regions_folder`) | {} |\n\
         | events delivered five days late (`late_objects`) | {} |\n\n\
         Records = events + copies + invalid ones. Events are management and data events; {} Insight and {} network activity\n\
         records come on top and count nowhere else, nor do digests, aggregates and the cut object.\n",
        tally.all_objects(),
        objects("events"),
        objects("corrupt"),
        objects("digest"),
        objects("insight"),
        objects("aggregated"),
        objects("network-activity"),
        tally.records(),
        tally.events,
        tally.duplicates,
        tally.rejected_records,
        tally.cross_account_twins(),
        tally.foreign_day_records(),
        tally.foreign_region_records(),
        tally.late_records(),
        tally.other_records("insight"),
        tally.other_records("network-activity"),
    )
}

fn facts(tally: &Tally) -> String {
    let mut text = "## Planted facts\n\n| in `planted` | what | events | remark |\n|---|---|---|---|\n".to_owned();
    for (label, what, remark) in FACTS {
        let events = tally.planted(label).len();
        text.push_str(&format!("| `{label}` | {what} | {events} | {remark} |\n"));
    }
    text
}

fn regions(tally: &Tally) -> String {
    let mut text = format!(
        "## Calls where nobody is expected\n\n\
         With {} expected, exactly these calls are findings. The {} global calls that CloudTrail records in `us-east-1` are\n\
         none, with one exception: an STS call that `awsServingRegion` places elsewhere.\n\n\
         | time | principal | call | recorded in | served in | outcome |\n|---|---|---|---|---|---|\n",
        code_list(&WORKLOAD_REGIONS),
        tally.global_calls()
    );
    for call in tally.unexpected_region() {
        let field = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!(
            "| {} | `{}` | `{}` `{}` | {} | {} | {} |\n",
            field("event_time"),
            field("principal"),
            field("event_source"),
            field("event_name"),
            field("aws_region"),
            field("served_in"),
            field("outcome")
        ));
    }
    text
}

fn secrets(tally: &Tally) -> String {
    let mut text = "## Secret reads\n\n\
         As the requests name the secrets: a name and an ARN may mean the same one. Denied reads carry no parameters; the\n\
         secret stands in the error message only.\n\n\
         | principal | call | secret | read | denied |\n|---|---|---|---|---|\n"
        .to_owned();
    for (principal, operation, secret, succeeded, denied) in tally.secret_reads() {
        text.push_str(&format!(
            "| `{principal}` | `{operation}` | `{secret}` | {succeeded} | {denied} |\n"
        ));
    }
    text
}

fn passed_roles(tally: &Tally) -> String {
    let mut text = "## Passed roles\n\n\
         CloudTrail never records `iam:PassRole`; the evidence is the role in the request of another call.\n\n\
         | principal | call | passed role | done | denied |\n|---|---|---|---|---|\n"
        .to_owned();
    for (principal, operation, role, succeeded, denied) in tally.passed_roles() {
        text.push_str(&format!(
            "| `{principal}` | `{operation}` | `{role}` | {succeeded} | {denied} |\n"
        ));
    }
    text
}

fn roles(tally: &Tally, iam: &Value) -> String {
    let mut text = "## Roles and keys\n\n\
         Operations that each role called with success. `expected.json` has the counts under `principals`.\n\n\
         | role | operations | remark |\n|---|---|---|\n"
        .to_owned();
    for role in snapshot::roles() {
        let arn = role.arn();
        let remark = match (tally.last_use(&arn), role.created_on_day, role.used_before) {
            (_, Some(_), _) => "made inside the window",
            (None, _, Some(_)) => "not used in the window, used before",
            (None, _, None) => "never used",
            (Some(_), ..) => "",
        };
        text.push_str(&format!("| `{arn}` | {} | {remark} |\n", tally.used_operations(&arn)));
    }
    text.push_str("\nAccess keys older than 90 days when the window ends:\n\n");
    for key in iam
        .get("keys_older_than_90_days")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let field = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        let active = key.get("active").and_then(Value::as_bool).unwrap_or_default();
        let state = if active { "active" } else { "inactive" };
        text.push_str(&format!(
            "- `{}` of `{}`, {state}, made on {}\n",
            field("access_key_id"),
            field("user"),
            field("rotated")
        ));
    }
    text
}

fn limits() -> String {
    "## What cannot be concluded\n\n\
     - S3 object calls of the management, log archive, security and dev accounts: their data events are not recorded.\n\
     - Data events of DynamoDB, SQS, SNS and Lambda: recorded nowhere.\n\
     - `es:ESHttp*`, `rds-db:connect`, `logs:PutLogEvents`: never in CloudTrail.\n\
     - That CloudTrail signed the digests: the key pair is made up, because AWS's private key is not ours. Hash values and\n  signatures are right; `public-keys.json` holds the public half.\n"
        .to_owned()
}

fn code_list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
