//! Columns of `usage`: the rollup of `events` by day, principal, call, place, outcome and IAM action.
//!
//! A row is a part of the truth, not all of it: each commit adds rows of its own, and those that are alike in all columns up
//! to `provenance` are summed by whoever reads them.

use arrow::datatypes::SchemaRef;

use super::ledger::Form;
use super::ledger::LedgerColumn;
use super::ledger::always;
use super::ledger::optional;
use super::ledger::schema_of;

/// Texts that a list of `usage` holds at most.
pub const MOST_TEXTS: usize = 50;

pub(super) const USAGE_COLUMNS: &[LedgerColumn] = &[
    optional(
        "day",
        Form::Date,
        "UTC day of the calls; null where records have no readable time",
    ),
    optional("recipient_account_id", Form::Text, "account that received the events"),
    optional(
        "principal_arn",
        Form::Text,
        "the role, user, root or service behind the calls, as in `events`",
    ),
    optional(
        "principal_id",
        Form::Text,
        "its unique id; a role made again under the same name has another",
    ),
    optional("principal_type", Form::Text, "kind of the principal, as in `events`"),
    optional("event_source", Form::Text, "service endpoint"),
    optional("event_name", Form::Text, "API operation as recorded"),
    optional("event_type", Form::Text, "type of the events, as in `events`"),
    optional("event_category", Form::Text, "category of the events, as in `events`"),
    optional("serving_region", Form::Text, "region that really served the calls"),
    optional("credential_kind", Form::Text, "kind of the credentials, as in `events`"),
    optional(
        "via_service",
        Form::Text,
        "service that made the calls on the principal's behalf",
    ),
    optional(
        "access_key_id",
        Form::Text,
        "access key of the calls, where that is a long-term one",
    ),
    always(
        "outcome",
        Form::Text,
        "how the calls ended: `succeeded`, `denied` or `failed`",
    ),
    optional(
        "action",
        Form::Text,
        "IAM action that the calls needed or may have needed; null if none, or none is known",
    ),
    optional(
        "class",
        Form::Text,
        "relation of the action to the calls: `primary`, `conditional` or `dependent`",
    ),
    optional(
        "is_proven",
        Form::Boolean,
        "whether the records show that the calls needed the action",
    ),
    optional("proof", Form::Text, "what shows it"),
    optional(
        "access_level",
        Form::Text,
        "List, Read, Write, Tagging or Permissions management",
    ),
    always(
        "verdict",
        Form::Text,
        "whether the calls are about IAM actions, and if not, why not",
    ),
    optional("reason", Form::Text, "why there is no action"),
    always("confidence", Form::Text, "how sure the mapping from call to action is"),
    always("provenance", Form::Text, "where the mapping comes from"),
    always("calls", Form::Integer, "number of calls"),
    always(
        "events",
        Form::Integer,
        "`calls` in the first row of a call, 0 in those of its further actions: the sum counts every event once",
    ),
    always(
        "unnamed",
        Form::Integer,
        "calls of which no resource is known for the action",
    ),
    optional("first_seen", Form::Timestamp, "first of the calls"),
    optional("last_seen", Form::Timestamp, "last of the calls"),
    optional(
        "resources",
        Form::TextList,
        "resources of the action: the first 50 in order of the alphabet",
    ),
    always("more_resources", Form::Boolean, "whether there are more of them"),
    optional(
        "session_names",
        Form::TextList,
        "session names of the calls: the first 50 in order of the alphabet",
    ),
    always("more_session_names", Form::Boolean, "whether there are more of them"),
    optional(
        "source_addresses",
        Form::TextList,
        "source addresses of calls with a long-term key: the first 50 in order of the alphabet",
    ),
    always("more_source_addresses", Form::Boolean, "whether there are more of them"),
    always("facts", Form::Text, "version of the facts that told the actions"),
];

/// `usage`: one row per day, principal, call, place, outcome and IAM action of one commit.
pub fn usage() -> SchemaRef {
    schema_of(USAGE_COLUMNS)
}
