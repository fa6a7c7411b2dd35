//! Columns of `events`: one CloudTrail event per row.
//!
//! A column is named after the path of its record field in snake case, with the levels `sessionContext`, `attributes`
//! and `sessionIssuer` shortened to `session_` and `session_issuer_`. Source of the fields: CloudTrail record contents,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>, up to
//! `eventVersion` 1.11.

use std::sync::Arc;
use std::sync::LazyLock;

use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::Fields;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use arrow::datatypes::TimeUnit;

use super::EVENT_DATE;

/// How a column's values are held in memory before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Text with few distinct values: dictionary-encoded in memory and on disk.
    Dictionary,
    /// Text that is mostly distinct per row: plain.
    Text,
    /// Free-form JSON: the exact slice of the source text, never re-serialised.
    Json,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// True, false or absent.
    Boolean,
    /// 64-bit signed integer.
    Integer,
    /// List of `resources` elements.
    Resources,
    /// List of text.
    TextList,
}

/// One column of `events`.
#[derive(Debug, Clone, Copy)]
pub struct EventColumn {
    /// Name in SQL, Arrow and Parquet.
    pub name: &'static str,
    /// In-memory and on-disk form.
    pub storage: Storage,
    /// What a value means.
    pub meaning: &'static str,
}

/// All columns of `events` but the partition column, in file order: filter columns first, blobs last.
pub const EVENT_COLUMNS: &[EventColumn] = &[
    column(
        "event_time",
        Storage::Timestamp,
        "when the request was made (`eventTime`)",
    ),
    column(
        "recipient_account_id",
        Storage::Dictionary,
        "account that received the event (`recipientAccountId`)",
    ),
    column(
        "aws_region",
        Storage::Dictionary,
        "region the record names (`awsRegion`)",
    ),
    column(
        "serving_region",
        Storage::Dictionary,
        "region that really served the call: the STS serving region, `aws-global` for global services, else `aws_region`",
    ),
    column("event_source", Storage::Dictionary, "service endpoint (`eventSource`)"),
    column(
        "event_name",
        Storage::Dictionary,
        "API operation (`eventName`), as recorded, with any version suffix",
    ),
    column(
        "event_type",
        Storage::Dictionary,
        "AwsApiCall, AwsServiceEvent, AwsConsoleSignIn, … (`eventType`)",
    ),
    column(
        "event_category",
        Storage::Dictionary,
        "Management, Data, NetworkActivity or Insight (`eventCategory`)",
    ),
    column("management_event", Storage::Boolean, "`managementEvent`"),
    column("read_only", Storage::Boolean, "`readOnly`"),
    column(
        "error_code",
        Storage::Dictionary,
        "set when the call failed (`errorCode`)",
    ),
    column(
        "principal_arn",
        Storage::Dictionary,
        "the role, user, root or service behind the call: session name removed, path kept",
    ),
    column(
        "principal_type",
        Storage::Dictionary,
        "role, user, root, service, account, federated, identity-center-user or unknown",
    ),
    column(
        "session_name",
        Storage::Dictionary,
        "role session name; a person's name under Identity Center",
    ),
    column(
        "credential_kind",
        Storage::Dictionary,
        "long-term, temporary, console, service, federated or none",
    ),
    column(
        "via_service",
        Storage::Dictionary,
        "service that made the call on the principal's behalf (`invokedBy`)",
    ),
    column("event_id", Storage::Text, "`eventID`"),
    column("user_identity_type", Storage::Dictionary, "`userIdentity.type`"),
    column(
        "user_identity_principal_id",
        Storage::Dictionary,
        "`userIdentity.principalId`",
    ),
    column(
        "user_identity_arn",
        Storage::Dictionary,
        "`userIdentity.arn`, with the session name",
    ),
    column(
        "user_identity_account_id",
        Storage::Dictionary,
        "`userIdentity.accountId`",
    ),
    column(
        "user_identity_access_key_id",
        Storage::Dictionary,
        "`userIdentity.accessKeyId`",
    ),
    column(
        "user_identity_user_name",
        Storage::Dictionary,
        "`userIdentity.userName`",
    ),
    column(
        "user_identity_invoked_by",
        Storage::Dictionary,
        "`userIdentity.invokedBy`",
    ),
    column(
        "user_identity_identity_provider",
        Storage::Dictionary,
        "`userIdentity.identityProvider`",
    ),
    column(
        "user_identity_credential_id",
        Storage::Dictionary,
        "`userIdentity.credentialId`",
    ),
    column(
        "session_issuer_type",
        Storage::Dictionary,
        "`userIdentity.sessionContext.sessionIssuer.type`",
    ),
    column(
        "session_issuer_arn",
        Storage::Dictionary,
        "`userIdentity.sessionContext.sessionIssuer.arn`",
    ),
    column(
        "session_issuer_principal_id",
        Storage::Dictionary,
        "`userIdentity.sessionContext.sessionIssuer.principalId`",
    ),
    column(
        "session_issuer_account_id",
        Storage::Dictionary,
        "`userIdentity.sessionContext.sessionIssuer.accountId`",
    ),
    column(
        "session_issuer_user_name",
        Storage::Dictionary,
        "`userIdentity.sessionContext.sessionIssuer.userName`",
    ),
    column(
        "session_creation_date",
        Storage::Timestamp,
        "`userIdentity.sessionContext.attributes.creationDate`",
    ),
    column(
        "session_mfa_authenticated",
        Storage::Boolean,
        "`userIdentity.sessionContext.attributes.mfaAuthenticated`",
    ),
    column(
        "session_source_identity",
        Storage::Dictionary,
        "`userIdentity.sessionContext.sourceIdentity`",
    ),
    column(
        "session_ec2_role_delivery",
        Storage::Dictionary,
        "`userIdentity.sessionContext.ec2RoleDelivery`",
    ),
    column(
        "session_assumed_root",
        Storage::Boolean,
        "`userIdentity.sessionContext.assumedRoot`",
    ),
    column(
        "session_web_id_federated_provider",
        Storage::Dictionary,
        "`userIdentity.sessionContext.webIdFederationData.federatedProvider`",
    ),
    column(
        "session_web_id_attributes",
        Storage::Dictionary,
        "`userIdentity.sessionContext.webIdFederationData.attributes`, as JSON text",
    ),
    column(
        "on_behalf_of_user_id",
        Storage::Dictionary,
        "`userIdentity.onBehalfOf.userId`",
    ),
    column(
        "on_behalf_of_identity_store_arn",
        Storage::Dictionary,
        "`userIdentity.onBehalfOf.identityStoreArn`",
    ),
    column(
        "in_scope_of",
        Storage::Dictionary,
        "`userIdentity.inScopeOf`, as JSON text",
    ),
    column(
        "source_ip_address",
        Storage::Dictionary,
        "address or service name (`sourceIPAddress`)",
    ),
    column("user_agent", Storage::Dictionary, "`userAgent`, chosen by the caller"),
    column("error_message", Storage::Dictionary, "`errorMessage`"),
    column("request_id", Storage::Text, "`requestID`"),
    column(
        "shared_event_id",
        Storage::Text,
        "ties the copies of one call in several accounts (`sharedEventID`)",
    ),
    column(
        "event_version",
        Storage::Dictionary,
        "`eventVersion`; 1.10 is newer than 1.9",
    ),
    column("api_version", Storage::Dictionary, "`apiVersion`"),
    column("vpc_endpoint_id", Storage::Dictionary, "`vpcEndpointId`"),
    column("vpc_endpoint_account_id", Storage::Dictionary, "`vpcEndpointAccountId`"),
    column(
        "session_credential_from_console",
        Storage::Boolean,
        "`sessionCredentialFromConsole`",
    ),
    column("tls_version", Storage::Dictionary, "`tlsDetails.tlsVersion`"),
    column("tls_cipher_suite", Storage::Dictionary, "`tlsDetails.cipherSuite`"),
    column(
        "tls_client_provided_host_header",
        Storage::Dictionary,
        "`tlsDetails.clientProvidedHostHeader`",
    ),
    column("tls_key_exchange", Storage::Dictionary, "`tlsDetails.keyExchange`"),
    column(
        "passed_role_arns",
        Storage::TextList,
        "roles that the request hands to a service; CloudTrail logs no event for `iam:PassRole`",
    ),
    column("resources", Storage::Resources, "`resources`"),
    column(
        "request_parameters",
        Storage::Json,
        "`requestParameters`, original JSON text",
    ),
    column(
        "response_elements",
        Storage::Json,
        "`responseElements`, original JSON text",
    ),
    column(
        "additional_event_data",
        Storage::Json,
        "`additionalEventData`, original JSON text",
    ),
    column(
        "service_event_details",
        Storage::Json,
        "`serviceEventDetails`, original JSON text",
    ),
    column("insight_details", Storage::Json, "`insightDetails`, original JSON text"),
    column(
        "edge_device_details",
        Storage::Json,
        "`edgeDeviceDetails`, original JSON text",
    ),
    column(
        "addendum",
        Storage::Json,
        "why the event was delivered late or again (`addendum`), original JSON text",
    ),
    column("event_context", Storage::Json, "`eventContext`, original JSON text"),
    column(
        "extra",
        Storage::Json,
        "fields this version does not know, as one JSON object",
    ),
    column(
        "raw_record",
        Storage::Json,
        "the whole record, kept only when the other columns alone do not give it back exactly",
    ),
    column(
        "field_shape",
        Storage::Integer,
        "which optional fields were explicit nulls or empty objects; only `event_records` needs it",
    ),
    column(
        "object_key",
        Storage::Dictionary,
        "URI of the object that held the record",
    ),
    column(
        "record_index",
        Storage::Integer,
        "position of the record in its object, from 0",
    ),
];

/// The columns that hold JSON text.
pub const JSON_COLUMNS: &[&str] = &[
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "service_event_details",
    "insight_details",
    "edge_device_details",
    "addendum",
    "event_context",
    "extra",
    "raw_record",
    "session_web_id_attributes",
    "in_scope_of",
];

/// Fields of one element of `resources`.
pub fn resource_fields() -> Fields {
    ["arn", "account_id", "type", "arn_prefix"]
        .into_iter()
        .map(|name| Field::new(name, DataType::Utf8, true))
        .collect()
}

/// `events` as readers see it: plain types, partition column first.
pub fn events() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields = vec![Field::new(EVENT_DATE, DataType::Date32, true)];
        fields.extend(
            EVENT_COLUMNS
                .iter()
                .map(|column| Field::new(column.name, column.storage.logical_type(), true)),
        );
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

/// `events` as it is written into a data file: dictionaries in memory, no partition column.
pub fn events_file() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let fields = EVENT_COLUMNS
            .iter()
            .map(|column| Field::new(column.name, column.storage.memory_type(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

impl Storage {
    /// Type that readers see.
    pub fn logical_type(self) -> DataType {
        match self {
            Self::Dictionary | Self::Text | Self::Json => DataType::Utf8,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Resources => DataType::List(Arc::new(Field::new(
                "element",
                DataType::Struct(resource_fields()),
                true,
            ))),
            Self::TextList => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
        }
    }

    /// Type of the batches that `decode` makes.
    pub fn memory_type(self) -> DataType {
        match self {
            Self::Dictionary => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            other => other.logical_type(),
        }
    }
}

const fn column(name: &'static str, storage: Storage, meaning: &'static str) -> EventColumn {
    EventColumn { name, storage, meaning }
}
