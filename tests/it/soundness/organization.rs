//! Control policies on accounts that the organization does not have.

use super::*;

/// The organization of these accounts, and of one that manages it.
fn organization(accounts: &[&str]) -> Value {
    let node = |id: &str| json!({"Id": id, "Type": "ACCOUNT", "ParentId": "r-1"});
    let mut nodes = vec![
        json!({"Id": "r-1", "Type": "ROOT", "ParentId": null}),
        node("999988887777"),
    ];
    nodes.extend(accounts.iter().map(|id| node(id)));
    json!({"Organization": {"Id": "o-own", "MasterAccountId": "999988887777"}, "Nodes": nodes, "Policies": []})
}

#[test]
fn control_policy_is_not_tried_on_accounts_that_the_organization_does_not_have() {
    let told = "left out, as the snapshot of the organization does not have them: accounts 111122223333";
    for (accounts, more, code, is_told) in [
        (&["444455556666"][..], &[][..], 4, true),
        (&["444455556666"], &["--account", ACCOUNT], 3, false),
        (&[ACCOUNT], &[], 3, false),
    ] {
        let estate = Estate::new(&everyday());
        estate.file("a.json", &page(&[role("base", &vpcs())], None));
        estate.file("organization.json", &organization(accounts));
        assert_eq!(estate.import_all().code, 0);
        let deny = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": ["ec2:DescribeVpcs", "ec2:NoSuchThing"], "Resource": "*"}]});
        let file = estate.place.folder().join("deny.json");
        std::fs::write(&file, deny.to_string()).unwrap();
        let arguments = ["replay", "--scp", file.to_str().unwrap()];
        let ended = estate.run(&[&arguments[..], more].concat());
        assert_eq!(
            (ended.code, ended.stderr.contains(told)),
            (code, is_told),
            "{}",
            ended.stderr
        );
        let unknown = "`deny.json` statement 1: the facts know no such action: `ec2:NoSuchThing`";
        assert!(ended.stderr.contains(unknown), "{}", ended.stderr);
    }
}

#[test]
fn dump_that_lacks_what_allows_everything_is_named_and_its_deny_is_not_counted() {
    let policy = |name: &str, effect: &str, action: &str| {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": action, "Resource": "*"}]});
        let arn = format!("arn:aws:organizations::999988887777:policy/o-own/service_control_policy/p-{name}");
        json!({"PolicySummary": {"Id": format!("p-{name}"), "Arn": arn, "Name": name, "Type": "SERVICE_CONTROL_POLICY"},
            "Content": document.to_string(), "Targets": [{"TargetId": "r-1"}, {"TargetId": ACCOUNT}]})
    };
    let deny = policy("deny", "Deny", "ec2:DeleteVpc");
    let mut elsewhere = policy("FullAWSAccess", "Allow", "*");
    elsewhere["Targets"] = json!([{"TargetId": ACCOUNT}]);
    let mut at_root = deny.clone();
    at_root["Targets"] = json!([{"TargetId": "r-1"}]);
    for (policies, lacking) in [
        (vec![deny.clone(), policy("FullAWSAccess", "Allow", "*")], None),
        (vec![elsewhere, deny], None),
        (vec![at_root], Some(ACCOUNT)),
    ] {
        let estate = Estate::new(&everyday());
        let granted = json!({"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "ec2:DeleteVpc"], "Resource": "*"});
        estate.file("a.json", &page(&[role("base", &granted)], None));
        let mut organization = organization(&[ACCOUNT]);
        organization["Policies"] = json!(policies);
        estate.file("organization.json", &organization);
        let imported = estate.import_all();
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        let ended = estate.run(&["diff", "--detail", "--output", "csv"]);
        let is_unused = |line: &str| line.contains("ec2:DeleteVpc") && line.contains("unused");
        assert_eq!(
            ended.stdout.lines().any(is_unused),
            lacking.is_some(),
            "{}",
            ended.stdout
        );
        let told = lacking.map(|node| format!("lacks control policies of {node}, such as `FullAWSAccess`"));
        let is_told = ended.stderr.contains("lacks control policies");
        assert_eq!(is_told, lacking.is_some(), "{}", ended.stderr);
        assert!(told.is_none_or(|told| ended.stderr.contains(&told)), "{}", ended.stderr);
    }
}
