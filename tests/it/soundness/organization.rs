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
