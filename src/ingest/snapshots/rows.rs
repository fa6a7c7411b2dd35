//! The rows of snapshots, cell by cell in the order of the schema's columns.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::ReadSource;
use super::cells;
use super::cells::Cell;
use crate::iam::arn::account_of_arn;
use crate::iam::arn::is_account_id;
use crate::iam::document::Entry;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::policy::snapshot::Attachment;
use crate::policy::snapshot::Credential;
use crate::policy::snapshot::OrganizationNode;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::Principal;
use crate::policy::snapshot::Problem;
use crate::policy::snapshot::Severity;
use crate::schema::Table;

/// The rows of every table, in the order of the sources.
pub(super) fn of_sources(
    sources: &[&ReadSource],
    run_id: &str,
    now: i64,
) -> Result<Vec<(Table, RecordBatch)>, ArrowError> {
    let rows_of = |table: Table| -> Vec<Vec<Cell>> {
        let rows = sources
            .iter()
            .flat_map(|source| rows_of_source(table, source, run_id, now));
        rows.collect()
    };
    let tables = Table::SNAPSHOTS.into_iter();
    tables
        .map(|table| Ok((table, cells::batch(table, &rows_of(table))?)))
        .collect()
}

/// Statements of a policy, readable or not.
pub(super) fn statement_count(policy: &Policy) -> u64 {
    let document = policy.document.iter();
    document
        .flat_map(|document| document.statements.as_slice())
        .map(|_| 1)
        .sum()
}

fn rows_of_source(table: Table, source: &ReadSource, run_id: &str, now: i64) -> Vec<Vec<Cell>> {
    let snapshot = &source.snapshot;
    let rows: Vec<Vec<Cell>> = match table {
        Table::IamPrincipals => snapshot.principals.iter().map(principal).collect(),
        Table::IamPolicies => snapshot.policies.iter().map(policy).collect(),
        Table::IamStatements => snapshot.policies.iter().flat_map(statements).collect(),
        Table::IamAttachments => snapshot.attachments.iter().map(attachment).collect(),
        Table::IamCredentials => snapshot.credentials.iter().map(credential).collect(),
        Table::IamOrganization => snapshot.nodes.iter().map(node).collect(),
        Table::IamSources => vec![own_row(source, run_id, now)],
        Table::Events | Table::Objects | Table::Rejects | Table::Usage => Vec::new(),
    };
    let first = [Cell::text(&source.id), Cell::Number(source.taken_at)];
    rows.into_iter()
        .map(|row| first.iter().cloned().chain(row).collect())
        .collect()
}

fn own_row(source: &ReadSource, run_id: &str, now: i64) -> Vec<Cell> {
    let snapshot = &source.snapshot;
    let statements: u64 = snapshot.policies.iter().map(statement_count).sum();
    vec![
        Cell::text(&source.uri),
        Cell::text(snapshot.format.name()),
        Cell::texts(snapshot.accounts()),
        Cell::Truth(!snapshot.has_gaps()),
        count(snapshot.principals.len()),
        count(snapshot.policies.len()),
        Cell::Number(i64::try_from(statements).unwrap_or(i64::MAX)),
        count(snapshot.attachments.len()),
        count(snapshot.credentials.len()),
        count(snapshot.nodes.len()),
        Cell::text(problems(&snapshot.problems)),
        Cell::Number(now),
        Cell::text(run_id),
        Cell::Bytes(source.content.clone()),
    ]
}

fn principal(principal: &Principal) -> Vec<Cell> {
    let tags = principal.tags.iter();
    let tags = tags.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    vec![
        Cell::optional_text(principal.account_id.as_deref()),
        Cell::text(&principal.arn),
        Cell::text(principal.kind.name()),
        Cell::text(&principal.name),
        Cell::text(&principal.path),
        Cell::optional_text(principal.unique_id.as_deref()),
        Cell::optional_number(principal.created_at),
        Cell::optional_number(principal.last_used_at),
        Cell::optional_text(principal.last_used_region.as_deref()),
        Cell::optional_text(principal.boundary_arn.as_deref()),
        Cell::Texts(principal.instance_profiles.clone()),
        Cell::text(Value::Object(tags.collect::<Map<_, _>>()).to_string()),
        Cell::Texts(principal.gaps.clone()),
    ]
}

fn policy(policy: &Policy) -> Vec<Cell> {
    let error = policy.document.as_ref().err().map(ToString::to_string);
    vec![
        Cell::optional_text(policy.account_id.as_deref()),
        Cell::text(&policy.id),
        Cell::text(policy.kind.name()),
        Cell::text(&policy.name),
        Cell::optional_text(policy.version_id.as_deref()),
        Cell::Truth(policy.is_default),
        Cell::optional_number(policy.created_at),
        Cell::text(policy.origin.name()),
        Cell::text(&policy.text),
        Cell::optional_text(error.as_deref()),
    ]
}

fn statements(policy: &Policy) -> Vec<Vec<Cell>> {
    let entries = policy
        .document
        .iter()
        .flat_map(|document| document.statements.as_slice());
    let rows = (1..).zip(entries).map(|(number, entry)| {
        let first = vec![
            Cell::optional_text(policy.account_id.as_deref()),
            Cell::text(&policy.id),
            Cell::optional_text(policy.version_id.as_deref()),
            Cell::Truth(policy.is_default),
            Cell::Number(number),
        ];
        first.into_iter().chain(statement(entry)).collect()
    });
    rows.collect()
}

fn statement(entry: &Entry) -> Vec<Cell> {
    let statement = match entry {
        Entry::Readable(statement) => statement,
        Entry::Unreadable { json, error } => {
            let mut cells = vec![Cell::optional_text(error.sid.as_deref())];
            cells.extend(std::iter::repeat_n(Cell::Null, 8));
            cells.extend([Cell::text(json.to_text()), Cell::text(error.to_string())]);
            return cells;
        }
    };
    let value = statement.to_value();
    let json_of = |element: &str| {
        value
            .get(element)
            .map_or(Cell::Null, |json| Cell::text(json.to_string()))
    };
    let (actions, not_actions) = lists(Some(&statement.actions));
    let (resources, not_resources) = lists(statement.resources.as_ref());
    vec![
        Cell::optional_text(statement.sid.as_deref()),
        Cell::text(statement.effect.name()),
        actions,
        not_actions,
        resources,
        not_resources,
        json_of("Principal"),
        json_of("NotPrincipal"),
        json_of("Condition"),
        Cell::text(value.to_string()),
        Cell::Null,
    ]
}

/// The plain and the `Not` form of an element, of which one is null.
fn lists(scope: Option<&Scope<OneOrMany<String>>>) -> (Cell, Cell) {
    match scope {
        Some(Scope::Only(named)) => (Cell::texts(named.texts()), Cell::Null),
        Some(Scope::AllBut(named)) => (Cell::Null, Cell::texts(named.texts())),
        None => (Cell::Null, Cell::Null),
    }
}

fn attachment(attachment: &Attachment) -> Vec<Cell> {
    let target = attachment.target.as_str();
    let account = account_of_arn(target).or(Some(target).filter(|target| is_account_id(target)));
    vec![
        Cell::optional_text(account),
        Cell::text(target),
        Cell::text(attachment.kind.name()),
        Cell::text(&attachment.attached),
    ]
}

fn credential(credential: &Credential) -> Vec<Cell> {
    vec![
        Cell::optional_text(credential.account_id.as_deref()),
        Cell::text(&credential.principal_arn),
        Cell::text(&credential.user_name),
        Cell::optional_number(credential.user_created_at),
        Cell::text(credential.kind.name()),
        Cell::optional_truth(credential.is_active),
        Cell::optional_number(credential.changed_at),
        Cell::optional_number(credential.last_used_at),
        Cell::optional_text(credential.last_used_region.as_deref()),
        Cell::optional_text(credential.last_used_service.as_deref()),
        Cell::optional_number(credential.next_change_at),
        Cell::optional_truth(credential.mfa_active),
    ]
}

fn node(node: &OrganizationNode) -> Vec<Cell> {
    vec![
        Cell::optional_text(node.organization_id.as_deref()),
        Cell::text(&node.id),
        Cell::text(node.kind.name()),
        Cell::optional_text(node.name.as_deref()),
        Cell::optional_text(node.parent_id.as_deref()),
        Cell::Truth(node.is_management),
    ]
}

fn problems(problems: &[Problem]) -> String {
    let severity = |severity: Severity| match severity {
        Severity::Gap => "gap",
        Severity::Note => "note",
    };
    let problems = problems.iter().map(|problem| {
        json!({
            "severity": severity(problem.severity),
            "place": problem.place,
            "message": problem.message,
        })
    });
    Value::Array(problems.collect()).to_string()
}

fn count(number: usize) -> Cell {
    Cell::Number(i64::try_from(number).unwrap_or(i64::MAX))
}
