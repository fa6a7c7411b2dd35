//! Credential reports: the CSV that IAM makes, plain or in the answer of `aws iam get-credential-report`.

use super::members::Members;
use super::model::Credential;
use super::model::CredentialKind;
use super::model::Severity;
use super::model::Snapshot;
use crate::event::decode_base64;
use crate::event::parse_event_time;
use crate::iam::arn::account_of_arn;
use crate::iam::json::Json;

/// The columns that every report begins with.
const FIRST_COLUMNS: &str = "user,arn,user_creation_time";

/// Columns of one credential.
struct Columns {
    kind: CredentialKind,
    is_active: &'static str,
    changed: &'static str,
    last_used: Option<&'static str>,
    region: Option<&'static str>,
    service: Option<&'static str>,
    next_change: Option<&'static str>,
}

const CREDENTIALS: [Columns; 5] = [
    Columns {
        kind: CredentialKind::Password,
        is_active: "password_enabled",
        changed: "password_last_changed",
        last_used: Some("password_last_used"),
        region: None,
        service: None,
        next_change: Some("password_next_rotation"),
    },
    Columns {
        kind: CredentialKind::AccessKey1,
        is_active: "access_key_1_active",
        changed: "access_key_1_last_rotated",
        last_used: Some("access_key_1_last_used_date"),
        region: Some("access_key_1_last_used_region"),
        service: Some("access_key_1_last_used_service"),
        next_change: None,
    },
    Columns {
        kind: CredentialKind::AccessKey2,
        is_active: "access_key_2_active",
        changed: "access_key_2_last_rotated",
        last_used: Some("access_key_2_last_used_date"),
        region: Some("access_key_2_last_used_region"),
        service: Some("access_key_2_last_used_service"),
        next_change: None,
    },
    Columns {
        kind: CredentialKind::Certificate1,
        is_active: "cert_1_active",
        changed: "cert_1_last_rotated",
        last_used: None,
        region: None,
        service: None,
        next_change: None,
    },
    Columns {
        kind: CredentialKind::Certificate2,
        is_active: "cert_2_active",
        changed: "cert_2_last_rotated",
        last_used: None,
        region: None,
        service: None,
        next_change: None,
    },
];

/// Columns of the user, not of a credential.
const USER_COLUMNS: [&str; 4] = ["user", "arn", "user_creation_time", "mfa_active"];

/// What stands where nothing is known.
const NOTHING: [&str; 4] = ["", "N/A", "no_information", "not_supported"];

/// Whether text looks like a report.
pub(super) fn is_report(text: &str) -> bool {
    text.starts_with(FIRST_COLUMNS)
}

/// Whether a value looks like the API's answer.
pub(super) fn is_answer(json: &Json) -> bool {
    json.member("Content").is_some() && json.member("ReportFormat").is_some()
}

/// Reads the API's answer, whose content some programs have decoded already.
pub(super) fn read_answer(json: &Json, snapshot: &mut Snapshot) {
    let known = ["Content", "ReportFormat", "GeneratedTime", "ResponseMetadata"];
    let mut answer = Members::new("credential report", json, &known);
    snapshot.generated_at = answer.moment("GeneratedTime");
    let content = answer.needed_text("Content").unwrap_or_default();
    let decoded = match is_report(&content) {
        true => Some(content),
        false => decode_base64(&content).and_then(|bytes| String::from_utf8(bytes).ok()),
    };
    match decoded.filter(|text| is_report(text)) {
        Some(text) => read_report(&text, snapshot),
        None => answer.problem(Severity::Gap, "member `Content` is no credential report"),
    }
    snapshot.problems.extend(answer.into_problems());
}

/// Reads the CSV.
pub(super) fn read_report(text: &str, snapshot: &mut Snapshot) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return snapshot.problem(Severity::Gap, "line 1", error.to_string()),
    };
    for column in header.iter().filter(|column| !is_known(column)) {
        let message = format!("column `{column}` is not known and was not used");
        snapshot.problem(Severity::Note, "line 1", message);
    }
    for (line, record) in (2..).zip(reader.records()) {
        let place = format!("line {line}");
        match record {
            Ok(record) if record.len() == header.len() => {
                let row: Vec<(&str, &str)> = header.iter().zip(record.iter()).collect();
                read_user(&Row { place, cells: &row }, snapshot);
            }
            Ok(record) => {
                let message = format!("has {} cells, not {}", record.len(), header.len());
                snapshot.problem(Severity::Gap, place, message);
            }
            Err(error) => snapshot.problem(Severity::Gap, place, error.to_string()),
        }
    }
}

/// One line with its columns' names.
struct Row<'a> {
    place: String,
    cells: &'a [(&'a str, &'a str)],
}

impl Row<'_> {
    fn cell(&self, column: &str) -> Option<&str> {
        let found = self.cells.iter().find(|(name, _)| *name == column);
        found.map(|(_, cell)| *cell).filter(|cell| !NOTHING.contains(cell))
    }

    fn truth(&self, column: &str, snapshot: &mut Snapshot) -> Option<bool> {
        match self.cell(column)? {
            "true" | "TRUE" => Some(true),
            "false" | "FALSE" => Some(false),
            other => {
                let message = format!("column `{column}` is `{other}`, neither true nor false");
                snapshot.problem(Severity::Gap, &self.place, message);
                None
            }
        }
    }

    fn moment(&self, column: &str, snapshot: &mut Snapshot) -> Option<i64> {
        let cell = self.cell(column)?;
        let moment = parse_event_time(cell).map(|time| time.microseconds);
        if moment.is_none() {
            let message = format!("column `{column}` is `{cell}`, no moment in time");
            snapshot.problem(Severity::Gap, &self.place, message);
        }
        moment
    }
}

fn read_user(row: &Row<'_>, snapshot: &mut Snapshot) {
    let Some(arn) = row.cell("arn") else {
        return snapshot.problem(Severity::Gap, &row.place, "column `arn` is empty");
    };
    let user_created_at = row.moment("user_creation_time", snapshot);
    let mfa_active = row.truth("mfa_active", snapshot);
    for columns in &CREDENTIALS {
        let optional = |column: Option<&str>| column.and_then(|column| row.cell(column)).map(str::to_owned);
        let credential = Credential {
            principal_arn: arn.to_owned(),
            account_id: account_of_arn(arn).map(str::to_owned),
            user_name: row.cell("user").unwrap_or_default().to_owned(),
            user_created_at,
            kind: columns.kind,
            is_active: row.truth(columns.is_active, snapshot),
            changed_at: row.moment(columns.changed, snapshot),
            last_used_at: columns.last_used.and_then(|column| row.moment(column, snapshot)),
            last_used_region: optional(columns.region),
            last_used_service: optional(columns.service),
            next_change_at: columns.next_change.and_then(|column| row.moment(column, snapshot)),
            mfa_active,
        };
        // A credential that was never made has no line of its own.
        let exists = credential.is_active == Some(true)
            || credential.changed_at.is_some()
            || credential.last_used_at.is_some()
            || columns.kind == CredentialKind::Password;
        if exists {
            snapshot.credentials.push(credential);
        }
    }
}

fn is_known(column: &str) -> bool {
    let of_credential = |columns: &Columns| {
        let optional = [columns.last_used, columns.region, columns.service, columns.next_change];
        column == columns.is_active || column == columns.changed || optional.contains(&Some(column))
    };
    USER_COLUMNS.contains(&column) || CREDENTIALS.iter().any(of_credential)
}
