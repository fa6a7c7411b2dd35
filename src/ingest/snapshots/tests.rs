use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::store::Location;

/// 2026-09-15T00:00:00Z in microseconds.
const NOW: i64 = 1_789_430_400_000_000;

struct Estate {
    folder: TempDir,
    runtime: Runtime,
    store: Store,
}

impl Estate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let location = Location::parse(folder.path().join("store").to_str().unwrap()).unwrap();
        let store = runtime.block_on(Store::create_or_open(&location, NOW)).unwrap();
        fs::create_dir(folder.path().join("iam")).unwrap();
        Self { folder, runtime, store }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("iam").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn import(&self, sources: &[&Path]) -> ImportBalance {
        let sources: Vec<String> = sources.iter().map(|source| source.display().to_string()).collect();
        let import = Import {
            store: &self.store,
            runtime: self.runtime.handle(),
            run_id: "run".to_owned(),
            now: NOW,
            taken_at: None,
        };
        import.run(source::list(&sources).unwrap()).unwrap()
    }

    fn import_folder(&self) -> ImportBalance {
        self.import(&[&self.folder.path().join("iam")])
    }

    fn rows(&self, table: Table) -> u64 {
        self.runtime.block_on(self.store.snapshot(table)).unwrap().rows()
    }
}

fn role(account: &str) -> String {
    format!(
        r#"{{"RoleDetailList":[{{"RoleName":"r","Arn":"arn:aws:iam::{account}:role/r","RolePolicyList":[{{"PolicyName":"p",
        "PolicyDocument":{{"Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*"}},{{"Effect":"Maybe"}}]}}}}]}}]}}"#
    )
}

#[test]
fn sources_are_imported_once_and_the_account_balances() {
    let estate = Estate::new();
    estate.write("one.json", &role("111122223333"));
    estate.write("copy.json", &role("111122223333"));
    estate.write("two.json", &role("444455556666"));
    estate.write("cut.json", "{\"RoleDetailList\":[");
    estate.write("trail.json", "{\"Records\":[]}");
    estate.write("README.md", "hello");
    let first = estate.import_folder();
    let counts = |balance: &ImportBalance| {
        assert_eq!(
            balance.listed,
            balance.imported + balance.known + balance.rejected + balance.other
        );
        (
            balance.listed,
            balance.imported,
            balance.known,
            balance.rejected,
            balance.other,
        )
    };
    assert_eq!(counts(&first), (6, 2, 1, 1, 2));
    assert_eq!((first.policies, first.statements, first.attachments), (2, 4, 2));
    assert_eq!((first.unknown_principals, first.accounts.len()), (2, 2));
    assert!(!first.is_complete());
    assert!(first.rejects[0].1.contains("neither JSON"), "{:?}", first.rejects);
    assert_eq!(estate.rows(Table::IamStatements), 4);
    assert_eq!(
        (estate.rows(Table::IamPrincipals), estate.rows(Table::IamSources)),
        (2, 2)
    );
    assert_eq!(counts(&estate.import_folder()), (6, 0, 3, 1, 2));
    assert_eq!(estate.rows(Table::IamSources), 2);
}

#[test]
fn file_that_was_named_is_rejected_whatever_it_is() {
    let estate = Estate::new();
    estate.write("README.md", "hello");
    let balance = estate.import(&[&estate.folder.path().join("iam/README.md")]);
    assert_eq!((balance.rejected, balance.other), (1, 0));
}

#[test]
fn collected_folder_is_one_source() {
    let estate = Estate::new();
    let role = "aws/aws/accounts/111122223333/iam/role/r";
    estate.write(
        &format!("{role}/metadata.json"),
        r#"{"arn":"arn:aws:iam::111122223333:role/r","name":"r"}"#,
    );
    estate.write(&format!("{role}/trust-policy.json"), r#"{"Statement":[]}"#);
    estate.write("aws/aws/accounts/111122223333/s3/bucket/policy.json", "{}");
    estate.write("aws/aws/indexes/vpcs.json", "{}");
    let balance = estate.import_folder();
    assert_eq!((balance.listed, balance.imported, balance.other), (2, 1, 1));
    assert_eq!(
        (balance.policies, balance.is_complete()),
        (1, true),
        "{:?}",
        balance.problems
    );
    assert_eq!(estate.import_folder().known, 1);
    estate.write(&format!("{role}/tags.json"), r#"{"a":"b"}"#);
    assert_eq!(estate.import_folder().imported, 1);
}

#[test]
fn snapshots_of_the_sample_organization_are_read_without_a_gap() {
    let estate = Estate::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/iam");
    let balance = estate.import(&[&samples]);
    assert!(balance.is_complete(), "{:?}", balance.problems);
    assert_eq!((balance.listed, balance.imported), (8, 8));
    assert_eq!((balance.accounts.len(), balance.unknown_principals), (5, 0));
    assert_eq!(balance.principals.values().sum::<u64>(), 40);
    assert_eq!(estate.rows(Table::IamOrganization), 8);
}
