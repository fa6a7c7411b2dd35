//! The tables of the store: column names, types and partitioning, each written down here once.
//!
//! Nothing else in the crate spells a column list. A change to any table raises [`SCHEMA_VERSION`]; the reader refuses a
//! store with a higher one. How rows come to be is left to `decode`, `ingest` and `store`.

mod events;
mod iam;
mod ledger;
mod reference;
mod usage;

pub use events::EVENT_COLUMNS;
pub use events::EventColumn;
pub use events::JSON_COLUMNS;
pub use events::Storage;
pub use events::events;
pub use events::events_file;
pub use events::resource_fields;
pub use ledger::objects;
pub use ledger::rejects;
pub use reference::reference;
pub use usage::MOST_TEXTS;
pub use usage::usage;

use arrow::datatypes::SchemaRef;

/// Version of the table layouts, kept as a table property of every table of a store.
pub const SCHEMA_VERSION: u32 = 5;

/// Partition column of `events`: the UTC day of `event_time`, null when the record has no readable `eventTime`.
pub const EVENT_DATE: &str = "event_date";

/// Name and meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name in SQL, Arrow and Parquet.
    pub name: &'static str,
    /// What a value means.
    pub meaning: &'static str,
}

/// The Delta tables of a store; each is a folder of the same name below the store's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One row per CloudTrail event; the single source of truth.
    Events,
    /// One row per listed object: what became of it.
    Objects,
    /// One row per record that could not be stored.
    Rejects,
    /// One row per day, principal, call, place, outcome and IAM action: the rollup of `events`.
    Usage,
    /// One row per user, group and role of an IAM snapshot.
    IamPrincipals,
    /// One row per version of a policy of an IAM snapshot.
    IamPolicies,
    /// One row per statement of a policy.
    IamStatements,
    /// One row per policy or group that counts for something.
    IamAttachments,
    /// One row per password, access key and certificate of a credential report.
    IamCredentials,
    /// One row per root, unit and account of an organization.
    IamOrganization,
    /// One row per imported source of a snapshot.
    IamSources,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 11] = [
        Self::Events,
        Self::Objects,
        Self::Rejects,
        Self::Usage,
        Self::IamPrincipals,
        Self::IamPolicies,
        Self::IamStatements,
        Self::IamAttachments,
        Self::IamCredentials,
        Self::IamOrganization,
        Self::IamSources,
    ];

    /// The tables that every store has.
    pub const CORE: [Self; 3] = [Self::Events, Self::Objects, Self::Rejects];

    /// The tables of IAM snapshots, which a store has after its first import, in the order in which they are made.
    pub const SNAPSHOTS: [Self; 7] = [
        Self::IamPrincipals,
        Self::IamPolicies,
        Self::IamStatements,
        Self::IamAttachments,
        Self::IamCredentials,
        Self::IamOrganization,
        Self::IamSources,
    ];

    /// Folder and SQL name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Objects => "objects",
            Self::Rejects => "rejects",
            Self::Usage => "usage",
            Self::IamPrincipals => "iam_principals",
            Self::IamPolicies => "iam_policies",
            Self::IamStatements => "iam_statements",
            Self::IamAttachments => "iam_attachments",
            Self::IamCredentials => "iam_credentials",
            Self::IamOrganization => "iam_organization",
            Self::IamSources => "iam_sources",
        }
    }

    /// Logical schema with partition columns, as SQL and other Delta readers see it.
    pub fn schema(self) -> SchemaRef {
        match self {
            Self::Events => events(),
            other => ledger::schema_of(other.ledger_columns()),
        }
    }

    /// What the columns of [`Table::schema`] mean, in the same order.
    pub fn columns(self) -> Vec<Column> {
        match self {
            Self::Events => {
                let partition = Column {
                    name: EVENT_DATE,
                    meaning: "UTC day of `event_time`; the folder of the row, and the cheapest filter",
                };
                let stored = EVENT_COLUMNS.iter().map(|column| Column {
                    name: column.name,
                    meaning: column.meaning,
                });
                std::iter::once(partition).chain(stored).collect()
            }
            other => {
                let columns = other.ledger_columns().iter().map(|column| Column {
                    name: column.name,
                    meaning: column.meaning,
                });
                columns.collect()
            }
        }
    }

    /// Partition columns, which are not stored in the data files.
    pub fn partition_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[EVENT_DATE],
            _ => &[],
        }
    }

    /// Columns with minimum, maximum and null count in the Delta log, so that readers can skip files.
    pub fn statistics_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[
                "event_time",
                "recipient_account_id",
                "aws_region",
                "serving_region",
                "event_source",
                "event_name",
                "event_category",
                "principal_arn",
                "principal_type",
                "error_code",
                "read_only",
            ],
            Self::Objects => &[
                "object_key",
                "kind",
                "state",
                "last_modified",
                "ingested_at",
                "delivery_date",
            ],
            Self::Rejects => &["object_key"],
            Self::Usage => &[
                "day",
                "recipient_account_id",
                "principal_arn",
                "principal_type",
                "event_source",
                "event_name",
                "event_category",
                "serving_region",
                "action",
                "outcome",
                "facts",
            ],
            Self::IamPrincipals | Self::IamCredentials => {
                &["source_id", "snapshot_time", "account_id", "principal_arn"]
            }
            Self::IamPolicies | Self::IamStatements => &["source_id", "snapshot_time", "account_id", "policy_id"],
            Self::IamAttachments => &["source_id", "snapshot_time", "account_id", "target"],
            Self::IamOrganization => &["source_id", "snapshot_time", "node_id"],
            Self::IamSources => &["source_id", "snapshot_time", "format"],
        }
    }

    /// The columns of a table other than `events`, which has none here.
    fn ledger_columns(self) -> &'static [ledger::LedgerColumn] {
        match self {
            Self::Events => &[],
            Self::Objects => ledger::OBJECT_COLUMNS,
            Self::Rejects => ledger::REJECT_COLUMNS,
            Self::Usage => usage::USAGE_COLUMNS,
            Self::IamPrincipals => iam::PRINCIPAL_COLUMNS,
            Self::IamPolicies => iam::POLICY_COLUMNS,
            Self::IamStatements => iam::STATEMENT_COLUMNS,
            Self::IamAttachments => iam::ATTACHMENT_COLUMNS,
            Self::IamCredentials => iam::CREDENTIAL_COLUMNS,
            Self::IamOrganization => iam::NODE_COLUMNS,
            Self::IamSources => iam::SOURCE_COLUMNS,
        }
    }
}
