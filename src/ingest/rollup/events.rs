//! The events of a batch as the rollup looks at them: what they have in common, by numbers, and the call of each.

use std::collections::HashMap;

use arrow::array::Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::error::ArrowError;

use super::columns::ABSENT;
use super::columns::Coded;
use super::columns::ListRows;
use super::columns::Lists;
use super::columns::plain_texts;
use super::columns::times;
use crate::iam::Call;

/// Columns of a group, in the order of the columns of `usage`.
const GROUP_COLUMNS: [&str; 12] = [
    "recipient_account_id",
    "principal_arn",
    "session_issuer_principal_id",
    "principal_type",
    "event_source",
    "event_name",
    "event_type",
    "event_category",
    "serving_region",
    "credential_kind",
    "via_service",
    "user_identity_access_key_id",
];
const ACCOUNT: usize = 0;
const PRINCIPAL_ID: usize = 2;
const SOURCE: usize = 4;
const NAME: usize = 5;
const TYPE: usize = 6;
const CREDENTIAL: usize = 9;
const ACCESS_KEY: usize = 11;
/// Columns besides those of the group that tell the actions of a call.
const CALL_COLUMNS: [&str; 4] = ["error_code", "error_message", "aws_region", "user_identity_type"];
const ERROR_CODE: usize = 0;
const ERROR_MESSAGE: usize = 1;
const REGION: usize = 2;
const IDENTITY_TYPE: usize = 3;
const LONG_TERM: &str = "long-term";

/// Texts of a group.
pub(super) const GROUP_TEXTS: usize = GROUP_COLUMNS.len();

/// Numbers of the texts of a group; the last one tells of the principal's id where that is not issued.
pub(super) type GroupCodes = [i32; GROUP_TEXTS + 1];

/// The columns of a batch, with the numbers of their texts.
pub(super) struct Events {
    times: TimestampMicrosecondArray,
    group: Vec<Coded>,
    call: Vec<Coded>,
    session_names: Coded,
    addresses: Coded,
    principal_ids: Coded,
    /// By code of `principal_ids`: a number of the text before the first colon.
    principal_id_numbers: Vec<i32>,
    requests: StringArray,
    additional: StringArray,
    resources: Lists,
    passed_roles: Lists,
    long_term: i32,
}

/// The calls of a batch.
pub(super) struct Calls<'b> {
    events: &'b Events,
    resources: ListRows<'b>,
    passed_roles: ListRows<'b>,
}

impl Events {
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let coded = |names: &[&str]| -> Result<Vec<Coded>, ArrowError> {
            names.iter().map(|name| Coded::new(batch, name)).collect()
        };
        let group = coded(&GROUP_COLUMNS)?;
        let principal_ids = Coded::new(batch, "user_identity_principal_id")?;
        let mut numbers = HashMap::new();
        let principal_id_numbers = principal_ids.texts().map(|text| {
            let next = i32::try_from(numbers.len()).unwrap_or(i32::MAX);
            *numbers.entry(before_colon(text)).or_insert(next)
        });
        let principal_id_numbers = principal_id_numbers.collect();
        let kinds = group.get(CREDENTIAL).into_iter().flat_map(Coded::texts);
        let long_term = kinds
            .zip(0..)
            .find_map(|(kind, code)| (kind == LONG_TERM).then_some(code));
        Ok(Self {
            times: times(batch, "event_time")?,
            group,
            call: coded(&CALL_COLUMNS)?,
            session_names: Coded::new(batch, "session_name")?,
            addresses: Coded::new(batch, "source_ip_address")?,
            principal_ids,
            principal_id_numbers,
            requests: plain_texts(batch, "request_parameters")?,
            additional: plain_texts(batch, "additional_event_data")?,
            resources: Lists::new(batch, "resources")?,
            passed_roles: Lists::new(batch, "passed_role_arns")?,
            long_term: long_term.unwrap_or(ABSENT),
        })
    }

    /// Numbers that tell the row's group.
    pub(super) fn group_codes(&self, row: usize) -> GroupCodes {
        let mut codes = [ABSENT; GROUP_TEXTS + 1];
        let (own, further) = codes.split_at_mut(GROUP_TEXTS);
        for (code, column) in own.iter_mut().zip(&self.group) {
            *code = column.code(row);
        }
        let is_long_term = own
            .get(CREDENTIAL)
            .is_some_and(|code| *code == self.long_term && *code != ABSENT);
        if let Some(key) = own.get_mut(ACCESS_KEY).filter(|_| !is_long_term) {
            *key = ABSENT;
        }
        let is_issued = own.get(PRINCIPAL_ID).is_some_and(|code| *code != ABSENT);
        if let Some(number) = further.first_mut().filter(|_| !is_issued) {
            let code = usize::try_from(self.principal_ids.code(row)).ok();
            *number = code
                .and_then(|code| self.principal_id_numbers.get(code).copied())
                .unwrap_or(ABSENT);
        }
        codes
    }

    /// The texts of the row's group, in the order of the columns of `usage`.
    pub(super) fn group_texts(&self, row: usize) -> impl Iterator<Item = Option<&str>> {
        let columns = self.group.iter().zip(self.group_codes(row)).enumerate();
        columns.map(move |(position, (column, code))| {
            let own = column.text_of(code);
            match position {
                PRINCIPAL_ID => own.or_else(|| self.principal_ids.text(row).map(before_colon)),
                _ => own,
            }
        })
    }

    pub(super) fn time(&self, row: usize) -> Option<i64> {
        self.times.is_valid(row).then(|| self.times.value(row))
    }

    /// Number and text of the session's name.
    pub(super) fn session_name(&self, row: usize) -> (i32, Option<&str>) {
        let code = self.session_names.code(row);
        (code, self.session_names.text_of(code))
    }

    /// Number and text of the address that a call with a long-term key came from.
    pub(super) fn key_address(&self, row: usize) -> (i32, Option<&str>) {
        let kind = self.group.get(CREDENTIAL).map_or(ABSENT, |kinds| kinds.code(row));
        let code = match kind != ABSENT && kind == self.long_term {
            true => self.addresses.code(row),
            false => ABSENT,
        };
        (code, self.addresses.text_of(code))
    }

    /// Numbers of the event's source and name.
    pub(super) fn operation_codes(&self, row: usize) -> (i32, i32) {
        let code = |column: usize| self.group.get(column).map_or(ABSENT, |column| column.code(row));
        (code(SOURCE), code(NAME))
    }
}

impl<'b> Calls<'b> {
    pub(super) fn new(events: &'b Events) -> Self {
        Self {
            events,
            resources: events.resources.rows(),
            passed_roles: events.passed_roles.rows(),
        }
    }

    /// Writes the numbers of the texts that a row's call has in common with many.
    pub(super) fn write_codes(&self, row: usize, key: &mut Vec<u8>) {
        let of_group = [ACCOUNT, SOURCE, NAME, TYPE]
            .into_iter()
            .filter_map(|column| self.events.group.get(column));
        for column in of_group.chain(&self.events.call) {
            key.extend_from_slice(&column.code(row).to_le_bytes());
        }
    }

    /// What of a row's call has no numbers.
    pub(super) fn unnumbered(&self, row: usize) -> Call<'_> {
        let [request_parameters, additional_event_data] = self.texts(row);
        Call {
            request_parameters,
            additional_event_data,
            resource_arns: self.resources.get(row),
            passed_role_arns: self.passed_roles.get(row),
            ..Call::default()
        }
    }

    /// The call of a row.
    pub(super) fn get(&self, row: usize) -> Call<'_> {
        let text = |column: usize| self.events.group.get(column).and_then(|column| column.text(row));
        let further = |column: usize| self.events.call.get(column).and_then(|column| column.text(row));
        Call {
            event_type: text(TYPE),
            event_source: text(SOURCE).unwrap_or_default(),
            event_name: text(NAME).unwrap_or_default(),
            identity_type: further(IDENTITY_TYPE),
            error_code: further(ERROR_CODE),
            error_message: further(ERROR_MESSAGE),
            account_id: text(ACCOUNT),
            region: further(REGION),
            ..self.unnumbered(row)
        }
    }

    /// Texts of a call that have no numbers.
    fn texts(&self, row: usize) -> [Option<&'b str>; 2] {
        let text = |array: &'b StringArray| array.is_valid(row).then(|| array.value(row));
        [text(&self.events.requests), text(&self.events.additional)]
    }
}

fn before_colon(text: &str) -> &str {
    text.split(':').next().unwrap_or_default()
}
