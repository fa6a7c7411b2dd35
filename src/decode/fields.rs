//! The top-level fields of a record, and where each one goes.

use std::borrow::Cow;

use super::extra::ExtraMembers;
use super::nested::Value;
use super::nested::truth;
use super::scan::ValueKind;

/// A documented top-level field of a CloudTrail record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    EventVersion,
    UserIdentity,
    EventTime,
    EventSource,
    EventName,
    AwsRegion,
    SourceIpAddress,
    UserAgent,
    ErrorCode,
    ErrorMessage,
    RequestParameters,
    ResponseElements,
    AdditionalEventData,
    RequestId,
    EventId,
    ReadOnly,
    Resources,
    EventType,
    ApiVersion,
    ManagementEvent,
    RecipientAccountId,
    ServiceEventDetails,
    SharedEventId,
    VpcEndpointId,
    VpcEndpointAccountId,
    EventCategory,
    Addendum,
    SessionCredentialFromConsole,
    EdgeDeviceDetails,
    TlsDetails,
    InsightDetails,
    EventContext,
}

impl Field {
    /// The field of this name. A `match`, because comparing with constants is inlined, and this runs for every member of
    /// every record.
    fn named(json_name: &str) -> Option<Self> {
        Some(match json_name {
            "eventVersion" => Self::EventVersion,
            "userIdentity" => Self::UserIdentity,
            "eventTime" => Self::EventTime,
            "eventSource" => Self::EventSource,
            "eventName" => Self::EventName,
            "awsRegion" => Self::AwsRegion,
            "sourceIPAddress" => Self::SourceIpAddress,
            "userAgent" => Self::UserAgent,
            "errorCode" => Self::ErrorCode,
            "errorMessage" => Self::ErrorMessage,
            "requestParameters" => Self::RequestParameters,
            "responseElements" => Self::ResponseElements,
            "additionalEventData" => Self::AdditionalEventData,
            "requestID" => Self::RequestId,
            "eventID" => Self::EventId,
            "readOnly" => Self::ReadOnly,
            "resources" => Self::Resources,
            "eventType" => Self::EventType,
            "apiVersion" => Self::ApiVersion,
            "managementEvent" => Self::ManagementEvent,
            "recipientAccountId" => Self::RecipientAccountId,
            "serviceEventDetails" => Self::ServiceEventDetails,
            "sharedEventID" => Self::SharedEventId,
            "vpcEndpointId" => Self::VpcEndpointId,
            "vpcEndpointAccountId" => Self::VpcEndpointAccountId,
            "eventCategory" => Self::EventCategory,
            "addendum" => Self::Addendum,
            "sessionCredentialFromConsole" => Self::SessionCredentialFromConsole,
            "edgeDeviceDetails" => Self::EdgeDeviceDetails,
            "tlsDetails" => Self::TlsDetails,
            "insightDetails" => Self::InsightDetails,
            "eventContext" => Self::EventContext,
            _ => return None,
        })
    }
}

/// How a field is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text column with few distinct values.
    Dictionary,
    /// Text column with mostly distinct values.
    Text,
    /// Original JSON text of an object (or of whatever stands there).
    Json,
    /// JSON `true` or `false`.
    Boolean,
    /// A truth value that CloudTrail writes as the text `"true"`.
    BooleanText,
    /// Taken apart by code of its own.
    Special,
}

/// One row of [`FIELDS`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSpec {
    pub(crate) field: Field,
    /// Name in the record.
    pub(crate) json_name: &'static str,
    /// Column of `events`; empty for [`Form::Special`] fields that become several columns.
    pub(crate) column: &'static str,
    pub(crate) form: Form,
}

/// Number of documented top-level fields.
pub(crate) const FIELD_COUNT: usize = 32;

/// All fields in the order of [`Field`], which is also the order in which a record is written back.
pub(crate) const FIELDS: [FieldSpec; FIELD_COUNT] = [
    spec(Field::EventVersion, "eventVersion", "event_version", Form::Dictionary),
    spec(Field::UserIdentity, "userIdentity", "", Form::Special),
    spec(Field::EventTime, "eventTime", "event_time", Form::Special),
    spec(Field::EventSource, "eventSource", "event_source", Form::Dictionary),
    spec(Field::EventName, "eventName", "event_name", Form::Dictionary),
    spec(Field::AwsRegion, "awsRegion", "aws_region", Form::Dictionary),
    spec(
        Field::SourceIpAddress,
        "sourceIPAddress",
        "source_ip_address",
        Form::Dictionary,
    ),
    spec(Field::UserAgent, "userAgent", "user_agent", Form::Dictionary),
    spec(Field::ErrorCode, "errorCode", "error_code", Form::Dictionary),
    spec(Field::ErrorMessage, "errorMessage", "error_message", Form::Dictionary),
    spec(
        Field::RequestParameters,
        "requestParameters",
        "request_parameters",
        Form::Json,
    ),
    spec(
        Field::ResponseElements,
        "responseElements",
        "response_elements",
        Form::Json,
    ),
    spec(
        Field::AdditionalEventData,
        "additionalEventData",
        "additional_event_data",
        Form::Json,
    ),
    spec(Field::RequestId, "requestID", "request_id", Form::Text),
    spec(Field::EventId, "eventID", "event_id", Form::Text),
    spec(Field::ReadOnly, "readOnly", "read_only", Form::Boolean),
    spec(Field::Resources, "resources", "resources", Form::Special),
    spec(Field::EventType, "eventType", "event_type", Form::Dictionary),
    spec(Field::ApiVersion, "apiVersion", "api_version", Form::Dictionary),
    spec(
        Field::ManagementEvent,
        "managementEvent",
        "management_event",
        Form::Boolean,
    ),
    spec(
        Field::RecipientAccountId,
        "recipientAccountId",
        "recipient_account_id",
        Form::Dictionary,
    ),
    spec(
        Field::ServiceEventDetails,
        "serviceEventDetails",
        "service_event_details",
        Form::Json,
    ),
    spec(Field::SharedEventId, "sharedEventID", "shared_event_id", Form::Text),
    spec(
        Field::VpcEndpointId,
        "vpcEndpointId",
        "vpc_endpoint_id",
        Form::Dictionary,
    ),
    spec(
        Field::VpcEndpointAccountId,
        "vpcEndpointAccountId",
        "vpc_endpoint_account_id",
        Form::Dictionary,
    ),
    spec(
        Field::EventCategory,
        "eventCategory",
        "event_category",
        Form::Dictionary,
    ),
    spec(Field::Addendum, "addendum", "addendum", Form::Json),
    spec(
        Field::SessionCredentialFromConsole,
        "sessionCredentialFromConsole",
        "session_credential_from_console",
        Form::BooleanText,
    ),
    spec(
        Field::EdgeDeviceDetails,
        "edgeDeviceDetails",
        "edge_device_details",
        Form::Json,
    ),
    spec(Field::TlsDetails, "tlsDetails", "", Form::Special),
    spec(Field::InsightDetails, "insightDetails", "insight_details", Form::Json),
    spec(Field::EventContext, "eventContext", "event_context", Form::Json),
];

const fn spec(field: Field, json_name: &'static str, column: &'static str, form: Form) -> FieldSpec {
    FieldSpec {
        field,
        json_name,
        column,
        form,
    }
}

/// One member of a record as a parser found it.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) kind: ValueKind,
    pub(crate) content: Content<'a>,
    /// The same as a value that can be looked into.
    pub(crate) value: Value<'a>,
}

/// Content of a string; exact text of anything else.
#[derive(Debug, Clone)]
pub(crate) enum Content<'a> {
    Text(Cow<'a, str>),
    /// UTF-8, as the parser has found. It is not looked at here: most of it only goes to a column.
    Raw(&'a [u8]),
}

impl Content<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            // INVARIANT: the parser has checked that it is UTF-8.
            Self::Raw(raw) => std::str::from_utf8(raw).unwrap_or_default(),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Raw(raw) => raw,
        }
    }
}

/// The members of one record, sorted into their fields.
///
/// It is large, so it is filled and cleared again record after record, and lent instead of moved.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    members: [Option<Member<'a>>; FIELD_COUNT],
    /// Bit of every field that `members` holds.
    present: u64,
    /// What the columns cannot give back.
    pub(crate) extra: ExtraMembers,
    /// Bit of every field that is an explicit null.
    pub(crate) null_bits: i64,
    /// Whether a member name stands twice, so that only the raw text gives the record back.
    pub(crate) repeats_a_member: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new() -> Self {
        Self {
            members: [const { None }; FIELD_COUNT],
            present: 0,
            extra: ExtraMembers::default(),
            null_bits: 0,
            repeats_a_member: false,
        }
    }

    /// Forgets the record.
    pub(crate) fn clear(&mut self) {
        self.present = 0;
        self.extra.clear();
        self.null_bits = 0;
        self.repeats_a_member = false;
    }

    /// Takes one member; `value` gives it as a value.
    ///
    /// The last of several members of one name counts, as in the JSON readers of the AWS SDKs.
    #[inline(always)]
    pub(crate) fn add(&mut self, key: &str, kind: ValueKind, content: Content<'a>, value: impl FnOnce() -> Value<'a>) {
        // Inlined, and the value made where it is needed, so that members go from registers to their slots: this runs for
        // every member of every record.
        match Field::named(key) {
            Some(field) => self.set(field, kind, content, value),
            None => self.repeats_a_member |= !self.extra.add(key, value().text()),
        }
    }

    #[inline(always)]
    fn set(&mut self, field: Field, kind: ValueKind, content: Content<'a>, value: impl FnOnce() -> Value<'a>) {
        let bit = 1_u64 << field as u32;
        let null_bit = 1_i64 << field as u32;
        self.repeats_a_member |= self.present & bit != 0 || self.null_bits & null_bit != 0;
        if kind == ValueKind::Null {
            self.null_bits |= null_bit;
            self.present &= !bit;
        } else if let Some(slot) = self.members.get_mut(field as usize) {
            self.null_bits &= !null_bit;
            self.present |= bit;
            *slot = Some(Member {
                kind,
                content,
                value: value(),
            });
        }
    }

    pub(crate) fn get(&self, field: Field) -> Option<&Member<'a>> {
        let is_present = self.present & (1 << field as u32) != 0;
        self.members.get(field as usize)?.as_ref().filter(|_| is_present)
    }

    /// Content of a string, exact text of anything else.
    pub(crate) fn content(&self, field: Field) -> Option<&str> {
        self.get(field).map(|member| member.content.as_str())
    }

    /// The fields that are there and not null.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static FieldSpec> + use<> {
        let mut rest = self.present;
        std::iter::from_fn(move || {
            let spec = FIELDS.get(rest.trailing_zeros() as usize);
            rest &= rest.wrapping_sub(1);
            spec
        })
    }

    /// Content of a text field; a number or truth value counts as its text.
    pub(crate) fn text(&mut self, field: Field) -> Option<&str> {
        let kind = self.get(field)?.kind;
        if kind != ValueKind::String {
            self.keep_as_extra(field);
        }
        let has_text = matches!(kind, ValueKind::String | ValueKind::Number | ValueKind::Boolean(_));
        self.get(field)
            .filter(|_| has_text)
            .map(|member| member.content.as_str())
    }

    /// Raw text of a JSON field; some exports hold it as a string, then the string's content counts.
    pub(crate) fn json(&mut self, field: Field) -> Option<&[u8]> {
        if self.get(field)?.kind == ValueKind::String {
            self.keep_as_extra(field);
        }
        let member = self.get(field)?;
        let content = member.content.as_bytes();
        let is_empty_text = member.kind == ValueKind::String && matches!(content, b"" | b"null");
        (!is_empty_text).then_some(content)
    }

    /// Truth value; `"true"` and `"False"` are understood where CloudTrail writes a literal, and the other way round.
    pub(crate) fn boolean(&mut self, field: Field, form: Form) -> Option<bool> {
        let member = self.get(field)?;
        let (value, canonical) = match member.kind {
            ValueKind::Boolean(value) => (Some(value), form == Form::Boolean),
            ValueKind::String => truth(member.content.as_str()).map_or((None, false), |(value, spelled)| {
                (Some(value), spelled && form == Form::BooleanText)
            }),
            _ => (None, false),
        };
        if !canonical {
            self.keep_as_extra(field);
        }
        value
    }

    /// Keeps a known field's exact value in `extra`, because its column will not give it back.
    pub(crate) fn keep_as_extra(&mut self, field: Field) {
        let Some(spec) = FIELDS.get(field as usize) else { return };
        let Some(member) = self.get(field) else { return };
        self.extra.add(spec.json_name, member.value.text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add_text<'a>(draft: &mut Draft<'a>, key: &str, raw: &'a str) {
        let content = Content::Text(raw.trim_matches('"').into());
        draft.add(key, ValueKind::String, content, || {
            Value::in_text(ValueKind::String, raw)
        });
    }

    #[test]
    fn fields_stand_in_the_order_of_their_numbers() {
        for (index, spec) in FIELDS.iter().enumerate() {
            assert_eq!(spec.field as usize, index, "{}", spec.json_name);
            assert_eq!(Field::named(spec.json_name), Some(spec.field));
        }
    }

    #[test]
    fn every_column_of_a_field_exists() {
        for spec in FIELDS.iter().filter(|spec| !spec.column.is_empty()) {
            assert!(
                crate::schema::EVENT_COLUMNS
                    .iter()
                    .any(|column| column.name == spec.column),
                "{}",
                spec.column
            );
        }
    }

    #[test]
    fn last_of_two_members_of_one_name_counts_and_is_noticed() {
        let mut draft = Draft::new();
        add_text(&mut draft, "eventName", "\"First\"");
        add_text(&mut draft, "eventName", "\"Second\"");
        assert_eq!(draft.text(Field::EventName), Some("Second"));
        assert!(draft.repeats_a_member);
    }

    #[test]
    fn text_where_a_truth_value_belongs_is_read_and_kept() {
        let mut draft = Draft::new();
        add_text(&mut draft, "readOnly", "\"False\"");
        assert_eq!(draft.boolean(Field::ReadOnly, Form::Boolean), Some(false));
        assert_eq!(draft.extra.object().as_deref(), Some(r#"{"readOnly":"False"}"#));
    }
}
