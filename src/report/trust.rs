//! Trust against use as rows, and trimmed trust policies as JSON.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use serde_json::Value;
use serde_json::json;

use super::Format;
use super::ReportError;
use super::ResultOptions;
use super::diff::DiffFrame;
use super::diff::batch;
use super::diff::integers;
use super::diff::lists;
use super::diff::optional_counts;
use super::diff::owned_texts;
use super::diff::texts;
use super::diff::times;
use super::layout::short_name;
use super::policy::Names;
use super::policy::file_part;
use super::policy::pretty;
use crate::iam::arn::account_of_arn;
use crate::policy::Caller;
use crate::policy::CallerUse;
use crate::policy::Chain;
use crate::policy::Neighbourhood;
use crate::policy::PartReport;
use crate::policy::RoleTrust;
use crate::policy::TrimmedTrust;

/// Columns of a table, which are the first ones: there is no room for ids, nor for what is the same in all rows.
const TABLE_COLUMNS: usize = 9;
const CHAIN_TABLE_COLUMNS: usize = 8;

/// Column that stands as it is, whatever the room.
const ROLE: &str = "role_arn";

/// How much room there is for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableRoom {
    /// They are for a program: no table, all columns.
    None,
    /// A table of any width.
    Ample,
    /// A table on a terminal, with account and name in place of ARNs.
    Scarce,
}

impl TableRoom {
    /// The room of a format, or of a table in a line.
    pub fn of(options: &ResultOptions) -> Self {
        match (options.format, options.width) {
            (Format::Table, Some(_)) => Self::Scarce,
            (Format::Table, None) => Self::Ample,
            _ => Self::None,
        }
    }
}

/// A file with a trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustFile {
    /// Name without a folder.
    pub name: String,
    /// The document.
    pub text: String,
}

type Named = (&'static str, ArrayRef);

/// A row for each part of each trust policy; tables have fewer columns than other formats.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn trust_rows(roles: &[RoleTrust<'_>], frame: DiffFrame<'_>, room: TableRoom) -> Result<RecordBatch, ReportError> {
    let rows: Vec<(&RoleTrust<'_>, &PartReport<'_>)> = roles
        .iter()
        .flat_map(|role| role.parts.iter().map(move |part| (role, part)))
        .collect();
    let of_part = |text: fn(&PartReport<'_>) -> Option<String>| owned_texts(rows.iter().map(|(_, part)| text(part)));
    let listed = |values: fn(&PartReport<'_>) -> Vec<String>| lists(rows.iter().map(|(_, part)| values(part)));
    let taken_at = |role: &RoleTrust<'_>| role.member.map(|member| member.taken_at);
    let uses: Vec<&CallerUse> = rows.iter().map(|(_, part)| &part.uses).collect();
    let mut columns: Vec<Named> = vec![
        (ROLE, texts(rows.iter().map(|(role, _)| Some(role.role_arn.as_str())))),
        ("trusted", of_part(|part| part.text.clone())),
        ("kind", of_part(|part| part.kind.map(|kind| kind.name().to_owned()))),
        ("verdict", of_part(|part| Some(part.verdict.name().to_owned()))),
        ("sessions", numbers(&uses, |it| it.sessions)),
        ("last_seen", times(uses.iter().map(|it| it.last_seen))),
        ("callers", listed(|part| names(&part.callers))),
        (
            "findings",
            listed(|part| part.remarks.iter().map(|it| it.kind.name().to_owned()).collect()),
        ),
        ("reason", of_part(|part| part.verdict.reason().map(str::to_owned))),
        (
            "remarks",
            listed(|part| part.remarks.iter().map(|it| it.text.clone()).collect()),
        ),
        (
            "statement",
            optional_counts(rows.iter().map(|(_, part)| part.statement_number)),
        ),
        ("sid", of_part(|part| part.sid.map(str::to_owned))),
        ("first_seen", times(uses.iter().map(|it| it.first_seen))),
    ];
    columns.extend(safeguards(&uses));
    columns.push((
        "account_id",
        texts(rows.iter().map(|(role, _)| account_of_arn(&role.role_arn))),
    ));
    columns.extend(frame_columns(frame, rows.len()));
    columns.push(("snapshot_time", times(rows.iter().map(|(role, _)| taken_at(role)))));
    fitted(batch(columns)?, TABLE_COLUMNS, room)
}

/// A row for each role and each who took it or tried to.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn taker_rows(
    roles: &[RoleTrust<'_>],
    neighbours: &Neighbourhood<'_>,
    frame: DiffFrame<'_>,
    room: TableRoom,
) -> Result<RecordBatch, ReportError> {
    let rows: Vec<(&str, &Caller, &CallerUse)> = roles
        .iter()
        .flat_map(|role| {
            role.callers
                .iter()
                .map(|(caller, uses)| (role.role_arn.as_str(), caller, uses))
        })
        .collect();
    let uses: Vec<&CallerUse> = rows.iter().map(|(_, _, uses)| *uses).collect();
    let of_caller = |text: fn(&Caller) -> Option<&str>| texts(rows.iter().map(|(_, caller, _)| text(caller)));
    let is_third_party = |caller: &Caller| {
        let account = caller.account_id.as_deref();
        account.is_some_and(|account| neighbours.is_third_party(account))
    };
    let side = |caller: &Caller| match is_third_party(caller) {
        true => Some("third-party"),
        false => caller.account_id.as_ref().map(|_| "own"),
    };
    let mut columns: Vec<Named> = vec![
        (ROLE, texts(rows.iter().map(|(role, ..)| Some(*role)))),
        ("caller", of_caller(|caller| Some(&caller.name))),
        ("kind", of_caller(|caller| Some(caller.kind.name()))),
        ("account", texts(rows.iter().map(|(_, caller, _)| side(caller)))),
        ("sessions", numbers(&uses, |it| it.sessions)),
        ("refused", numbers(&uses, |it| it.refused)),
        ("with_external_id", numbers(&uses, |it| it.with_external_id)),
        ("with_mfa", numbers(&uses, |it| it.with_mfa)),
        ("last_seen", times(uses.iter().map(|it| it.last_seen))),
        ("provider", of_caller(|caller| caller.provider.as_deref())),
        ("caller_account_id", of_caller(|caller| caller.account_id.as_deref())),
        ("with_source_identity", numbers(&uses, |it| it.with_source_identity)),
        ("first_seen", times(uses.iter().map(|it| it.first_seen))),
        ("event_ids", event_ids(&uses)),
    ];
    columns.extend(frame_columns(frame, rows.len()));
    fitted(batch(columns)?, TABLE_COLUMNS, room)
}

/// A row for each way to a role over others.
///
/// # Errors
/// Never with columns of one length, which these are.
pub fn chain_rows(
    chains: &BTreeMap<Chain, CallerUse>,
    frame: DiffFrame<'_>,
    room: TableRoom,
) -> Result<RecordBatch, ReportError> {
    let uses: Vec<&CallerUse> = chains.values().collect();
    let hops = |chain: &Chain| chain.through.len() + usize::from(chain.origin.is_some());
    let origin = |chain: &Chain| chain.origin.as_ref().map(|caller| caller.name.clone());
    let kind = |chain: &Chain| chain.origin.as_ref().map(|caller| caller.kind.name().to_owned());
    let mut columns: Vec<Named> = vec![
        (ROLE, texts(chains.keys().map(|chain| Some(chain.role_arn.as_str())))),
        ("origin", owned_texts(chains.keys().map(origin))),
        ("origin_kind", owned_texts(chains.keys().map(kind))),
        ("through", lists(chains.keys().map(|chain| chain.through.clone()))),
        ("hops", optional_counts(chains.keys().map(|chain| Some(hops(chain))))),
        ("sessions", numbers(&uses, |it| it.sessions)),
        ("first_seen", times(uses.iter().map(|it| it.first_seen))),
        ("last_seen", times(uses.iter().map(|it| it.last_seen))),
        ("event_ids", event_ids(&uses)),
    ];
    columns.extend(frame_columns(frame, chains.len()));
    fitted(batch(columns)?, CHAIN_TABLE_COLUMNS, room)
}

/// The roles of which something goes, with their policies and what goes, as JSON.
pub fn trust_policies(roles: &[RoleTrust<'_>]) -> String {
    let trimmed = roles.iter().filter_map(|role| Some((role, role.trimmed.as_ref()?)));
    let values = trimmed.map(|(role, trimmed)| {
        json!({
            "role_arn": role.role_arn,
            "removed": removed(trimmed),
            "document": trimmed.document.to_value(),
        })
    });
    pretty(&Value::Array(values.collect()))
}

/// One file for each role of which something goes.
pub fn trust_files(roles: &[RoleTrust<'_>]) -> Vec<TrustFile> {
    let trimmed = roles.iter().filter_map(|role| Some((role, role.trimmed.as_ref()?)));
    let mut names = Names::default();
    let files = trimmed.map(|(role, trimmed)| {
        let account = account_of_arn(&role.role_arn).unwrap_or("unknown");
        let name = role.role_arn.rsplit('/').next().unwrap_or_default();
        TrustFile {
            name: format!(
                "{}.json",
                names.unique(&format!("{}-{}", file_part(account), file_part(name)), "-")
            ),
            text: pretty(&trimmed.document.to_value()),
        }
    });
    files.collect()
}

fn removed(trimmed: &TrimmedTrust) -> Vec<Value> {
    let parts = trimmed.removed.iter();
    let values =
        parts.map(|part| json!({ "statement": part.statement_number, "kind": part.kind.name(), "trusted": part.text }));
    values.collect()
}

/// The first columns with lists as people write them, for a table; all as they are for a program.
fn fitted(whole: RecordBatch, table_columns: usize, room: TableRoom) -> Result<RecordBatch, ReportError> {
    let written: fn(&str) -> String = match room {
        TableRoom::None => return Ok(whole),
        TableRoom::Ample => str::to_owned,
        TableRoom::Scarce => short,
    };
    let schema = whole.schema();
    let names = schema.fields().iter().map(|field| field.name());
    let columns = names.zip(whole.columns()).take(table_columns);
    let shown = columns.map(|(name, column)| {
        let column = match name == ROLE {
            true => ArrayRef::clone(column),
            false => as_written(column, written),
        };
        (name, column, true)
    });
    Ok(RecordBatch::try_from_iter_with_nullable(shown)?)
}

/// Texts as they are written, in lists with commas between; any other column as it is.
fn as_written(column: &ArrayRef, written: fn(&str) -> String) -> ArrayRef {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return owned_texts(texts.iter().map(|text| text.map(written)));
    }
    let Some(lists) = column.as_list_opt::<i32>() else {
        return ArrayRef::clone(column);
    };
    owned_texts(lists.iter().map(|list| {
        let list = list?;
        let texts = list.as_string_opt::<i32>()?.iter().flatten();
        Some(texts.map(written).collect::<Vec<_>>().join(", "))
    }))
}

/// Account and name in place of an ARN; of a provider of tokens, all that follows the account tells it from others.
fn short(text: &str) -> String {
    match (text.split_once(":oidc-provider/"), account_of_arn(text)) {
        (Some((_, provider)), Some(account)) => format!("{account}/{provider}"),
        _ => short_name(text),
    }
}

fn safeguards(uses: &[&CallerUse]) -> Vec<Named> {
    vec![
        ("with_external_id", numbers(uses, |it| it.with_external_id)),
        ("with_mfa", numbers(uses, |it| it.with_mfa)),
        ("with_source_identity", numbers(uses, |it| it.with_source_identity)),
        ("event_ids", event_ids(uses)),
    ]
}

fn frame_columns(frame: DiffFrame<'_>, rows: usize) -> Vec<Named> {
    let moment = |time: i64| times(std::iter::repeat_n(Some(time), rows));
    vec![
        ("since", moment(frame.window.since)),
        ("until", moment(frame.window.until)),
    ]
}

fn numbers(uses: &[&CallerUse], number: fn(&CallerUse) -> u64) -> ArrayRef {
    integers(uses.iter().map(|it| i64::try_from(number(it)).unwrap_or(i64::MAX)))
}

fn event_ids(uses: &[&CallerUse]) -> ArrayRef {
    lists(uses.iter().map(|it| it.event_ids().map(str::to_owned).collect()))
}

fn names(callers: &BTreeMap<Caller, CallerUse>) -> Vec<String> {
    callers.keys().map(|caller| caller.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(room: TableRoom) -> Vec<String> {
        let role = "arn:aws:iam::111122223333:role/ci/deploy";
        let provider = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A1";
        let columns = vec![
            (ROLE, texts([Some(role)])),
            ("trusted", texts([Some(provider)])),
            ("callers", lists([vec![role.to_owned(), "a@example.com".to_owned()]])),
            ("event_ids", lists([Vec::new()])),
        ];
        let rows = fitted(batch(columns).unwrap(), 3, room).unwrap();
        let texts = rows.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
        texts.map(|texts| texts.value(0).to_owned()).collect()
    }

    #[test]
    fn terminal_has_account_and_name_in_place_of_arns() {
        let role = "arn:aws:iam::111122223333:role/ci/deploy";
        let provider = "oidc.eks.eu-west-1.amazonaws.com/id/A1";
        assert_eq!(
            cells(TableRoom::Scarce),
            [
                role,
                &format!("111122223333/{provider}"),
                "111122223333/deploy, a@example.com"
            ]
        );
        assert_eq!(
            cells(TableRoom::Ample),
            [
                role,
                &format!("arn:aws:iam::111122223333:oidc-provider/{provider}"),
                &format!("{role}, a@example.com")
            ]
        );
        assert_eq!(cells(TableRoom::None).len(), 2);
    }
}
