//! Policies for the sample organization: trimming takes exactly what is unused, generating stays within what is granted.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use trimtrail::iam::ActionSet;
use trimtrail::iam::Facts;
use trimtrail::iam::document::Document;
use trimtrail::iam::document::Effect;
use trimtrail::iam::document::Scope;
use trimtrail::iam::resource_matches;

use super::Sample;
use super::sample;
use crate::support::json::text;
use crate::support::process::Ended;

/// IAM's limits for a managed policy and for the inline policies of a role.
const LIMITS: (usize, usize) = (6_144, 10_240);

fn run(sample: &Sample, arguments: &[&str]) -> Ended {
    sample.run_for_two_weeks("policy", arguments)
}

fn json(sample: &Sample, arguments: &[&str]) -> Vec<Value> {
    let ended = run(sample, arguments);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.stderr))
}

/// All that may be called by the statements of a document that allow.
fn granted(document: &Document) -> ActionSet {
    let mut all = Facts::embedded().no_actions();
    for (_, statement) in document.readable() {
        if statement.effect == Effect::Allow {
            all.extend(&scope(&statement.actions));
        }
    }
    all
}

fn scope(actions: &Scope<trimtrail::iam::document::OneOrMany<String>>) -> ActionSet {
    let facts = Facts::embedded();
    let mut named = facts.no_actions();
    actions
        .named()
        .texts()
        .for_each(|pattern| named.extend(&facts.expand(pattern)));
    if actions.is_negated() {
        named.complement()
    } else {
        named
    }
}

fn document(value: &Value) -> Document {
    Document::parse(&value.to_string()).unwrap()
}

fn names(actions: &ActionSet) -> BTreeSet<&'static str> {
    actions.iter().map(|action| Facts::embedded().name(action)).collect()
}

/// The verdicts of `diff` by policy and action: whether all statements of all principals say "unused".
fn unused(sample: &Sample) -> BTreeMap<String, BTreeMap<String, bool>> {
    let mut unused: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for row in sample.permissions(&[]) {
        let Some(policy) = row["policy"].as_str() else { continue };
        // A policy of AWS is judged for each principal alone.
        let key = match policy.starts_with("arn:aws:iam::aws:") {
            true => format!("{policy} {}", text(&row, "principal_arn")),
            false => policy.to_owned(),
        };
        let entry = unused
            .entry(key)
            .or_default()
            .entry(text(&row, "action"))
            .or_insert(true);
        *entry &= row["verdict"] == "unused";
    }
    unused
}

/// The permission set that a role was made for.
fn permission_set(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once("/AWSReservedSSO_")?;
    Some(name.rsplit_once('_')?.0)
}

/// By permission set and action, the roles of which `diff` does not say "unused".
fn needed_in_sets(sample: &Sample) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut needed: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in sample.permissions(&[]) {
        let arn = text(&row, "principal_arn");
        if let Some(set) = permission_set(&arn).filter(|_| row["verdict"] != "unused") {
            let of_action = needed.entry((set.to_owned(), text(&row, "action")));
            of_action.or_default().insert(arn.clone());
        }
    }
    needed
}

#[test]
fn trimming_takes_exactly_what_is_unused_from_every_policy() {
    let sample = sample();
    let (verdicts, needed) = (unused(&sample), needed_in_sets(&sample));
    let (mut edited, mut refused) = (0, 0);
    for principal in json(&sample, &["--principal", "*", "--mode", "trim"]) {
        let arn = text(&principal, "principal");
        refused += principal["refusals"].as_array().unwrap().len();
        let mut proposed: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for policy in principal["policies"].as_array().unwrap() {
            for present in policy["rationale"]["in_place_of"].as_array().unwrap() {
                proposed
                    .entry(present.as_str().unwrap().to_owned())
                    .or_default()
                    .push(policy);
            }
            assert_fits(policy);
        }
        for (present, policies) in proposed {
            let key = match present.starts_with("arn:aws:iam::aws:") {
                true => format!("{present} {arn}"),
                false => present.clone(),
            };
            let verdicts = &verdicts[&key];
            let mut left = Facts::embedded().no_actions();
            policies
                .iter()
                .for_each(|policy| left.extend(&granted(&document(&policy["document"]))));
            let left = names(&left);
            for (action, is_unused) in verdicts {
                let is_known = Facts::embedded().find(action).is_some();
                let in_set = permission_set(&arn).and_then(|set| needed.get(&(set.to_owned(), action.clone())));
                let goes = *is_unused && !in_set.is_some_and(|roles| roles.iter().any(|role| *role != arn));
                assert!(
                    !is_known || left.contains(action.as_str()) != goes,
                    "{present}: {action} of {arn}"
                );
            }
            edited += usize::from(policies[0]["change"] != "keep");
        }
    }
    assert!(edited >= 20, "{edited}");
    // What is unknown of `AdministratorAccess` fills ten managed policies, or more.
    assert!(refused <= 6, "{refused}");
}

fn assert_fits(policy: &Value) {
    let characters = policy["document"]
        .to_string()
        .chars()
        .filter(|it| !it.is_whitespace())
        .count();
    let is_of_permission_set = policy["targets"][0].as_str().unwrap().contains("/aws-reserved/");
    let limit = match policy["place"] == "inline" {
        true if is_of_permission_set => 32_768,
        true => LIMITS.1,
        false => LIMITS.0,
    };
    assert!(characters <= limit, "{}: {characters}", policy["name"]);
}

#[test]
fn trimming_the_planted_task_role_leaves_what_it_uses_and_what_nobody_can_know() {
    let sample = sample();
    let policies = json(&sample, &["--principal", "payments-task", "--mode", "trim"]);
    let left = granted(&document(&policies[0]["policies"][0]["document"]));
    let wanted = [
        "kms:Decrypt",
        "rds-db:connect",
        "s3:GetObject",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    ];
    assert_eq!(names(&left), BTreeSet::from(wanted));
    let used = &policies[0]["policies"][0]["rationale"]["statements"][0]["used"][0];
    assert_eq!(text(used, "action"), "secretsmanager:GetSecretValue");
    let ids = used["event_ids"].as_array().unwrap();
    assert_eq!(ids.len(), 3);
    for id in ids {
        let statement = format!(
            "select event_name from events where event_id = '{}'",
            id.as_str().unwrap()
        );
        assert_eq!(text(&sample.store.sql(&statement)[0], "event_name"), "GetSecretValue");
    }
}

#[test]
fn generated_policies_stay_within_the_statements_that_they_come_from() {
    let sample = sample();
    let present = present_documents(&sample);
    let mut compared = 0;
    for arguments in [
        &["--principal", "*", "--mode", "generate", "--keep-unknown=false"][..],
        &[
            "--principal",
            "*-task",
            "--principal",
            "svc-*",
            "--principal",
            "ci-*",
            "--mode",
            "generate",
            "--conditions",
            "region,vpce,via-service",
        ],
    ] {
        for principal in json(&sample, arguments) {
            for policy in principal["policies"].as_array().unwrap() {
                assert_fits(policy);
                let reasons = policy["rationale"]["statements"].as_array().unwrap();
                let statements = policy["document"]["Statement"].as_array().unwrap();
                assert_eq!(reasons.len(), statements.len());
                for (statement, reason) in statements.iter().zip(reasons) {
                    let number = usize::try_from(reason["statement"].as_u64().unwrap()).unwrap();
                    let origin = &present[&text(reason, "policy")]["Statement"];
                    let origin = origin.as_array().map_or(origin, |list| &list[number - 1]);
                    assert_within(statement, origin);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

/// The documents of the snapshots and of AWS's own policies, by id.
fn present_documents(sample: &Sample) -> BTreeMap<String, Value> {
    let rows = sample
        .store
        .sql("select policy_id, document from iam_policies where is_default");
    rows.iter()
        .map(|row| {
            (
                text(row, "policy_id"),
                serde_json::from_str(&text(row, "document")).unwrap(),
            )
        })
        .collect()
}

/// Every call that one statement allows is allowed by the other.
fn assert_within(new: &Value, present: &Value) {
    let one = |value: &Value| {
        let mut plain = value.clone();
        plain.as_object_mut().unwrap().remove("Sid");
        let whole = serde_json::json!({"Version": "2012-10-17", "Statement": [plain]});
        document(&whole).readable().next().unwrap().1.clone()
    };
    let (narrow, wide) = (one(new), one(present));
    assert_eq!(narrow.effect, wide.effect);
    if narrow.effect == Effect::Deny {
        assert_eq!(narrow.to_value(), wide.to_value());
        return;
    }
    assert!(
        scope(&narrow.actions).is_subset(&scope(&wide.actions)),
        "{new} {present}"
    );
    for block in &wide.conditions {
        let kept = narrow
            .conditions
            .iter()
            .find(|kept| kept.operator == block.operator)
            .unwrap();
        assert!(block.keys.iter().all(|key| kept.keys.contains(key)), "{new} {present}");
    }
    if narrow.resources == wide.resources {
        return;
    }
    let (Some(Scope::Only(narrow)), Some(Scope::Only(wide))) = (&narrow.resources, &wide.resources) else {
        panic!("{new} {present}");
    };
    for resource in narrow.texts() {
        // A star of the new pattern is matched by a star only, as a line feed stands in no present pattern.
        let probe = resource
            .replace("${*}", "A")
            .replace("${?}", "A")
            .replace(['*', '?'], "\n");
        let is_within = wide
            .texts()
            .any(|text| text == resource || !text.contains('?') && resource_matches(text, &probe));
        assert!(is_within, "{resource} {present}");
    }
}

#[test]
fn everything_used_is_in_the_generated_policy() {
    let sample = sample();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in sample.permissions(&["--verdict", "used"]) {
        used.entry(text(&row, "principal_arn"))
            .or_default()
            .insert(text(&row, "action"));
    }
    for principal in json(
        &sample,
        &["--principal", "*", "--mode", "generate", "--keep-unknown=false"],
    ) {
        let arn = text(&principal, "principal");
        if arn.contains("/aws-service-role/") || !principal["refusals"].as_array().unwrap().is_empty() {
            continue;
        }
        let mut left = Facts::embedded().no_actions();
        let policies = principal["policies"].as_array().unwrap();
        policies
            .iter()
            .for_each(|policy| left.extend(&granted(&document(&policy["document"]))));
        let left = names(&left);
        for action in used.get(&arn).into_iter().flatten() {
            assert!(left.contains(action.as_str()), "{arn}: {action}");
        }
    }
}

#[test]
fn generated_policies_allow_every_use_on_the_resource_that_it_was_of() {
    let sample = sample();
    let present = present_documents(&sample);
    let names = by_name(
        &sample,
        "select principal_arn as arn, principal_arn as named from iam_principals",
    );
    let of_profiles = by_name(
        &sample,
        "select principal_arn as arn, unnest(instance_profiles) as named from iam_principals",
    );
    let mut uses: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let statement = "select distinct principal_arn, action, resource, origin from (select principal_arn, action, \
                     unnest(resources) as resource, unnest(resource_origins) as origin from used_actions \
                     where is_used and principal_type in ('role', 'user'))";
    for row in sample.store.sql(statement) {
        let (action, resource) = (text(&row, "action"), text(&row, "resource"));
        let is_hint = ["names", "template"].contains(&text(&row, "origin").as_str());
        // What is named without its path is the principal of the snapshots, and a profile hands over the role that is in it.
        let known = match action == "iam:PassRole" && resource.contains(":instance-profile/") {
            true => of_profiles.get(&nameless(&resource)),
            false => names.get(&nameless(&resource)).filter(|_| is_hint),
        };
        let actual = known.cloned().unwrap_or(resource);
        uses.entry(text(&row, "principal_arn"))
            .or_default()
            .push((action, actual));
    }
    let mut compared = 0;
    for principal in json(
        &sample,
        &["--principal", "*", "--mode", "generate", "--keep-unknown=false"],
    ) {
        let policies = principal["policies"].as_array().unwrap();
        let Some(first) = policies.first() else { continue };
        let replaced = first["rationale"]["in_place_of"].as_array().unwrap();
        let replaced: Vec<Document> = replaced
            .iter()
            .map(|id| document(&present[id.as_str().unwrap()]))
            .collect();
        let proposed: Vec<Document> = policies.iter().map(|policy| document(&policy["document"])).collect();
        let arn = text(&principal, "principal");
        for (action, resource) in uses.get(&arn).into_iter().flatten() {
            if allows(&replaced, action, resource) {
                assert!(allows(&proposed, action, resource), "{arn}: {action} on {resource}");
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

/// ARNs by account, kind and name of something.
fn by_name(sample: &Sample, statement: &str) -> BTreeMap<(String, String), String> {
    let rows = sample.store.sql(statement);
    let named = rows.iter().map(|row| (nameless(&text(row, "named")), text(row, "arn")));
    named.collect()
}

/// An ARN up to its kind, and its last part.
fn nameless(arn: &str) -> (String, String) {
    let head = arn.split('/').next().unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    (head.to_owned(), name.to_owned())
}

/// Whether one of the statements allows an action on a resource, whatever its conditions.
fn allows(documents: &[Document], action: &str, arn: &str) -> bool {
    let id = Facts::embedded().find(action).unwrap();
    // A star of the name is no wildcard.
    let arn = arn.replace('*', "\u{1}");
    let matches = |pattern: &str| {
        let plain = pattern
            .replace("${*}", "\u{1}")
            .replace("${?}", "?")
            .replace("${$}", "$")
            .replace("${aws:username}", "*");
        resource_matches(&plain, &arn)
    };
    let mut statements = documents.iter().flat_map(Document::readable);
    statements.any(|(_, statement)| {
        let is_about = match &statement.resources {
            Some(Scope::Only(patterns)) => patterns.texts().any(matches),
            Some(Scope::AllBut(patterns)) => !patterns.texts().any(matches),
            None => false,
        };
        statement.effect == Effect::Allow && scope(&statement.actions).contains(id) && is_about
    })
}

#[test]
fn allow_list_keeps_what_nobody_uses() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("keep.toml");
    let before = json(&sample, &["--principal", "payments-task", "--mode", "trim"]);
    let removed = &before[0]["policies"][0]["rationale"]["statements"].as_array().unwrap();
    let removed = removed
        .iter()
        .find_map(|statement| statement["removed"][0].as_str())
        .unwrap();
    let entry = |expires: &str| {
        format!(
            "[[keep]]\nprincipal = 'payments-task'\naction = '{removed}'\nreason = 'each January'\nexpires = {expires}\n"
        )
    };
    for (expires, is_kept) in [("2099-01-31", true), ("2020-01-31", false)] {
        std::fs::write(&list, entry(expires)).unwrap();
        for mode in ["trim", "generate"] {
            let arguments = [
                "--principal",
                "payments-task",
                "--mode",
                mode,
                "--allow",
                list.to_str().unwrap(),
            ];
            let ended = run(&sample, &arguments);
            let proposed: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
            let left = granted(&document(&proposed[0]["policies"][0]["document"]));
            assert_eq!(names(&left).contains(removed), is_kept, "{mode} {expires}");
            let reason = "each January (until 2099-01-31)";
            assert_eq!(ended.stdout.contains(reason), is_kept, "{mode} {expires}");
            assert_eq!(
                ended.stderr.contains("expired on 2020-01-31"),
                !is_kept,
                "{}",
                ended.stderr
            );
        }
    }
}

/// Compares with a committed file; `INSTA_UPDATE=always` writes it anew.
fn assert_expected(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/policy")
        .join(name);
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of the test itself, as `insta` reads it"
    )]
    let is_updated = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    if is_updated {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        wanted == found,
        "`tests/policy/{name}` differs; INSTA_UPDATE=always writes it anew:\n{found}"
    );
}

/// Files of `tests/policy` and the arguments that make them.
const CASES: &[(&str, &str)] = &[
    ("payments-task/trim.diff", "--mode trim --format diff"),
    ("payments-task/trim.tf", "--mode trim --format terraform"),
    (
        "payments-task/trim.template.json",
        "--mode trim --format cloudformation",
    ),
    ("payments-task/trim.ts", "--mode trim --format cdk"),
    (
        "payments-task/generate.tf",
        "--mode generate --format terraform --conditions region,vpce,via-service",
    ),
    ("github-deploy/trim.diff", "--mode trim --format diff"),
    ("github-deploy/generate.tf", "--mode generate --format terraform"),
    ("svc-legacy-backup/trim.tf", "--mode trim --format terraform"),
];

#[test]
fn policies_of_the_sample_are_the_committed_ones() {
    let sample = sample();
    for (name, arguments) in CASES {
        let (principal, _) = name.split_once('/').unwrap();
        let arguments: Vec<&str> = ["--principal", principal]
            .into_iter()
            .chain(arguments.split(' '))
            .collect();
        let first = run(&sample, &arguments);
        // Whether keys are used for a service is on no record, so that some calls cannot be evaluated.
        let proven = if first.stderr.contains("could not be evaluated") {
            4
        } else {
            0
        };
        assert_eq!(first.code, proven, "{}", first.stderr);
        assert_eq!(first.stdout, run(&sample, &arguments).stdout, "{name}");
        assert_expected(name, &first.stdout);
    }
}

#[test]
fn files_are_written_into_the_folder_and_nothing_to_stdout() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("policies");
    let path = out.to_str().unwrap();
    let ended = run(
        &sample,
        &["--principal", "payments-task", "--mode", "trim", "--out", path],
    );
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    let names = [
        "111122223333.role.payments-task.payments-task.json",
        "111122223333.role.payments-task.payments-task.rationale.json",
    ];
    assert_eq!(listed(&out), names);
    let document = std::fs::read_to_string(out.join(names[0])).unwrap();
    assert!(document.starts_with("{\n  \"Version\""), "{document}");
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn wrong_usage_is_told_with_what_to_write_instead() {
    let sample = sample();
    sample.assert_wrong_usage(
        "policy",
        &[
            (&["--mode", "trim"], "no principal is named"),
            (&["--mode", "trim", "--principal", "nobody"], "matches `nobody`"),
            (&["--principal", "x", "--mode", "shrink"], "--mode"),
        ],
    );
}

#[test]
fn format_may_also_be_written_as_other_commands_have_it() {
    let sample = sample();
    let written = |option: &str| run(&sample, &["--principal", "payments-task", option, "diff"]);
    let (own, other) = (written("--format"), written("--output"));
    assert_eq!((own.code, &own.stdout), (other.code, &other.stdout), "{}", other.stderr);
    assert!(!own.stdout.starts_with('['), "{}", own.stdout);
}
