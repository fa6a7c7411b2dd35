//! The broad policies of AWS, diffed and trimmed: `tests/policy/<name>/case.json` says for chosen actions what is right, and
//! why.

use super::*;
use crate::iam::ActionSet;
use crate::iam::document::Effect;
use crate::iam::document::Scope;

const CASES: [&str; 3] = [
    include_str!("../../../../tests/policy/administrator-access/case.json"),
    include_str!("../../../../tests/policy/power-user-access/case.json"),
    include_str!("../../../../tests/policy/read-only-access/case.json"),
];

/// One role with the policy of the case, which used what the case says.
fn role_of(case: &Value) -> Case {
    let mut role = role("r", &json!([]));
    role["RolePolicyList"] = json!([]);
    let policy = case["policy"].as_str().unwrap();
    let name = policy.rsplit('/').next().unwrap();
    role["AttachedManagedPolicies"] = json!([{"PolicyName": name, "PolicyArn": policy}]);
    let mut made = Case::new(&[role]);
    let log = made.usage.accounts.get_mut(ACCOUNT).unwrap();
    log.recorded_in = ["eu-west-1".to_owned(), "us-east-1".to_owned()].into();
    for (action, resources) in case["used"].as_object().unwrap() {
        let resources: Vec<&str> = resources
            .as_array()
            .unwrap()
            .iter()
            .map(|arn| arn.as_str().unwrap())
            .collect();
        made = made.used("r", action, &resources);
    }
    made
}

/// Verdicts of the granted actions, by what keeps each most.
fn verdicts(case: &Case) -> BTreeMap<String, String> {
    let text = case.snapshot.to_string();
    let snapshots = [TakenSnapshot {
        taken_at: (FIRST_DAY + DAYS) * DAY,
        source_id: "s".to_owned(),
        snapshot: snapshot::read(text.as_bytes()).unwrap(),
    }];
    let estate = Estate::newest(&snapshots);
    let all = subjects(&case.usage, &estate);
    let mut differ = Differ::new(Facts::embedded(), &case.usage, &estate, THRESHOLDS);
    let diff = differ.diff(&all[0]);
    let granted = diff.granted().into_iter();
    granted
        .map(|(action, row)| (action.to_owned(), row.verdict.name().to_owned()))
        .collect()
}

/// What the statements that allow name.
fn allowed(document: &Document) -> ActionSet {
    let facts = Facts::embedded();
    let mut all = facts.no_actions();
    for (_, statement) in document.readable().filter(|(_, it)| it.effect == Effect::Allow) {
        let mut named = facts.no_actions();
        let patterns = statement.actions.named();
        patterns
            .texts()
            .for_each(|pattern| named.extend(&facts.expand(pattern)));
        all.extend(&match statement.actions {
            Scope::Only(_) => named,
            Scope::AllBut(_) => named.complement(),
        });
    }
    all
}

#[test]
fn broad_policies_of_aws_are_diffed_and_trimmed_as_their_documents_say() {
    for case in CASES {
        let case: Value = case.parse().unwrap();
        let made = role_of(&case);
        let found = verdicts(&made);
        for row in case["verdicts"].as_array().unwrap() {
            let verdict = found
                .get(row["action"].as_str().unwrap())
                .map_or("not-granted", String::as_str);
            assert_eq!(row["verdict"], verdict, "{}: {row}", case["policy"]);
        }
        made.check(Mode::Trim, |proposals| {
            let proposal = &proposals[0];
            assert!(proposal.refusals.is_empty(), "{:?}", proposal.refusals);
            let facts = Facts::embedded();
            let mut left = facts.no_actions();
            proposal
                .policies
                .iter()
                .for_each(|policy| left.extend(&allowed(&policy.document)));
            assert!(!proposal.policies.is_empty() && proposal.policies.len() <= 8);
            for policy in &proposal.policies {
                assert!(policy_characters(&policy.document) <= 6_144);
            }
            // Exactly what is not unused stays, and nothing comes to it.
            let stays = found.iter().filter(|(_, verdict)| *verdict != "unused");
            let mut wanted = facts.no_actions();
            stays
                .filter_map(|(action, _)| facts.find(action))
                .for_each(|id| wanted.insert(id));
            assert!(left.is_subset(&wanted) && wanted.is_subset(&left), "{}", case["policy"]);
        });
    }
}

#[test]
fn policy_that_would_be_too_many_is_refused_and_nothing_is_proposed_in_its_place() {
    let case: Value = CASES[0].parse().unwrap();
    let mut made = role_of(&case);
    let statements = json!([{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}]);
    for number in 0..9 {
        made = made.managed(&format!("other{number}"), &statements, &[0]);
    }
    made.check(Mode::Trim, |proposals| {
        let proposal = &proposals[0];
        let [Refusal::TooMany { policy, count, .. }] = &proposal.refusals[..] else {
            panic!("{:?}", proposal.refusals);
        };
        assert_eq!(policy, case["policy"].as_str().unwrap());
        assert!(*count > 10);
        let names: Vec<&str> = proposal.policies.iter().map(|policy| policy.name.as_str()).collect();
        assert!(names.iter().all(|name| name.starts_with("other")), "{names:?}");
    });
}

#[test]
fn policies_generated_for_an_administrator_hold_all_unknown_actions_and_fit() {
    let made = role_of(&CASES[0].parse().unwrap());
    let options = GenerateOptions {
        keep_unknown: true,
        conditions: EvidenceConditions::default(),
    };
    made.check(Mode::Generate(options), |proposals| {
        let proposal = &proposals[0];
        assert!(proposal.refusals.is_empty(), "{:?}", proposal.refusals);
        assert!(proposal.policies.len() <= 9);
    });
}
