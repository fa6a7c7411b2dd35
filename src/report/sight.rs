//! What the store knows of IAM, account by account: a question about grants finds nothing where none are known, which is not the
//! same as nothing to find.

use std::collections::BTreeSet;

use super::counted::counted;
use super::counted::format_count;
use crate::policy::Estate;
use crate::policy::TakenSnapshot;
use crate::policy::snapshot::Format;
use crate::schema::Table;

/// Functions of SQL that read grants. `log_coverage` reads none.
const OF_GRANTS: [&str; 3] = ["granted_and_used", "granted_actions", "principal_summary"];

/// Tables with what snapshots of users and roles say.
const TABLES_OF_GRANTS: [Table; 4] = [
    Table::IamPrincipals,
    Table::IamPolicies,
    Table::IamStatements,
    Table::IamAttachments,
];

/// Of how many accounts the IAM snapshots say nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IamSight {
    /// Accounts with logs.
    accounts: usize,
    grants: Part,
    credentials: Part,
    /// Accounts of whose newest snapshot pages are missing.
    lacking_pages: usize,
}

/// What is there of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Part {
    has_any: bool,
    /// Accounts without.
    missing: usize,
}

impl IamSight {
    /// Looks at what snapshots say of accounts with logs.
    pub fn of(snapshots: &[TakenSnapshot], accounts: &BTreeSet<String>) -> Self {
        let of_format = |is_meant: fn(Format) -> bool| -> BTreeSet<&str> {
            let meant = snapshots.iter().filter(|taken| is_meant(taken.snapshot.format));
            meant.flat_map(|taken| taken.snapshot.accounts()).collect()
        };
        let listed = snapshots.iter().flat_map(|taken| &taken.snapshot.principals);
        let mut with_grants = of_format(|format| format == Format::AuthorizationDetails);
        with_grants.extend(listed.filter_map(|principal| principal.account_id.as_deref()));
        let with_credentials = of_format(|format| format == Format::CredentialReport);
        let part = |known: &BTreeSet<&str>| Part {
            has_any: !known.is_empty(),
            missing: accounts
                .iter()
                .filter(|account| !known.contains(account.as_str()))
                .count(),
        };
        let estate = Estate::newest(snapshots);
        let partial = estate.partial_accounts().iter();
        Self {
            accounts: accounts.len(),
            grants: part(&with_grants),
            credentials: part(&with_credentials),
            lacking_pages: partial.filter(|account| accounts.contains(**account)).count(),
        }
    }

    /// Why the answer to a question may lack rows; `None` if all that it reads of IAM is known.
    pub fn doubt_of(&self, sql: &str) -> Option<String> {
        let part = |part: Part, what: &str| match part {
            Part { has_any: false, .. } => Some(format!("no {what} was imported")),
            Part { missing: 0, .. } => None,
            Part { missing, .. } => Some(format!("no {what} of {}", self.share(missing))),
        };
        let grants = part(self.grants, "IAM snapshot").or_else(|| {
            let share = self.share(self.lacking_pages);
            (self.lacking_pages > 0).then(|| format!("pages are missing from the IAM snapshot of {share}"))
        });
        let doubts = [
            grants.filter(|_| asks_of_grants(sql)),
            part(self.credentials, "credential report").filter(|_| sql.contains(Table::IamCredentials.name())),
        ];
        let doubts: Vec<String> = doubts.into_iter().flatten().collect();
        (!doubts.is_empty()).then(|| doubts.join(", "))
    }

    fn share(&self, part: usize) -> String {
        format!("{} of {}", format_count(part), counted(self.accounts, "account"))
    }
}

/// Whether the text of a question reads grants.
fn asks_of_grants(sql: &str) -> bool {
    let tables = TABLES_OF_GRANTS.iter().map(|table| table.name());
    OF_GRANTS.into_iter().chain(tables).any(|name| sql.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::policy::snapshot;
    use crate::query::Library;

    fn details(account: &str, is_truncated: bool) -> String {
        format!(
            r#"{{"UserDetailList":[],"GroupDetailList":[],"Policies":[],"IsTruncated":{is_truncated},"RoleDetailList":[{{
            "Path":"/","RoleName":"r","RoleId":"AROAEXAMPLE","Arn":"arn:aws:iam::{account}:role/r","CreateDate":"2020-01-01T00:00:00Z",
            "AssumeRolePolicyDocument":{{"Version":"2012-10-17","Statement":[]}},"RolePolicyList":[],"AttachedManagedPolicies":[],"Tags":[]}}]}}"#
        )
    }

    const REPORT: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,\
        mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
        access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
        access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n\
        <root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,N/A,not_supported,not_supported,true,false,\
        N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n";

    fn doubts(texts: &[&str], accounts: &[&str]) -> [Option<String>; 3] {
        let snapshots: Vec<TakenSnapshot> = texts
            .iter()
            .map(|text| TakenSnapshot {
                taken_at: 1,
                source_id: (*text).to_owned(),
                snapshot: snapshot::read(text.as_bytes()).unwrap(),
            })
            .collect();
        let sight = IamSight::of(
            &snapshots,
            &accounts.iter().map(|account| (*account).to_owned()).collect(),
        );
        let library = Library::embedded().unwrap();
        ["unused-access", "unused-keys", "root-use"].map(|id| sight.doubt_of(&library.get(id).unwrap().sql))
    }

    #[test]
    fn account_without_a_snapshot_of_what_the_question_reads_is_in_doubt() {
        let text = |text: &str| Some(text.to_owned());
        let one = details("111122223333", false);
        let accounts = ["111122223333", "222233334444", "333344445555"];
        assert_eq!(
            doubts(&[], &accounts),
            [
                text("no IAM snapshot was imported"),
                text("no credential report was imported"),
                None
            ]
        );
        assert_eq!(
            doubts(&[&one], &accounts),
            [
                text("no IAM snapshot of 2 of 3 accounts"),
                text("no credential report was imported"),
                None
            ]
        );
        assert_eq!(
            doubts(&[&one, REPORT], &accounts[..2]),
            [
                text("no IAM snapshot of 1 of 2 accounts"),
                text("no credential report of 1 of 2 accounts"),
                None
            ]
        );
        assert_eq!(doubts(&[&one, REPORT], &accounts[..1]), [None, None, None]);
        assert_eq!(
            doubts(&[&details("111122223333", true), REPORT], &accounts[..1]),
            [
                text("pages are missing from the IAM snapshot of 1 of 1 account"),
                None,
                None
            ]
        );
    }

    #[test]
    fn questions_that_read_grants_are_told_from_those_that_read_logs() {
        let library = Library::embedded().unwrap();
        let asking = library.questions().filter(|question| asks_of_grants(&question.sql));
        let asking: Vec<&str> = asking.map(|question| question.id.as_str()).collect();
        assert!(
            asking.contains(&"unused-roles") && asking.contains(&"passrole-use"),
            "{asking:?}"
        );
        assert!(
            !asking.contains(&"used-actions") && !asking.contains(&"unused-keys"),
            "{asking:?}"
        );
    }
}
