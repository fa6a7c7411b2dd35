//! The tables of the store: column names, types and partitioning, each written down here once.
//!
//! Nothing else in the crate spells a column list. A change to any table raises [`SCHEMA_VERSION`]; the reader refuses a
//! store with a higher one. How rows come to be is left to `decode`, `ingest` and `store`.

mod events;
mod ledger;
mod reference;

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

use arrow::datatypes::SchemaRef;

/// Version of the table layouts, kept as a table property of every table of a store.
pub const SCHEMA_VERSION: u32 = 1;

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
}

impl Table {
    /// All tables, in the order in which they are created.
    pub const ALL: [Self; 3] = [Self::Events, Self::Objects, Self::Rejects];

    /// Folder and SQL name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Objects => "objects",
            Self::Rejects => "rejects",
        }
    }

    /// Logical schema with partition columns, as SQL and other Delta readers see it.
    pub fn schema(self) -> SchemaRef {
        match self {
            Self::Events => events(),
            Self::Objects => objects(),
            Self::Rejects => rejects(),
        }
    }

    /// What the columns of [`Table::schema`] mean, in the same order.
    pub fn columns(self) -> Vec<Column> {
        let ledger = |columns: &'static [ledger::LedgerColumn]| {
            let columns = columns.iter().map(|column| Column {
                name: column.name,
                meaning: column.meaning,
            });
            columns.collect()
        };
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
            Self::Objects => ledger(ledger::OBJECT_COLUMNS),
            Self::Rejects => ledger(ledger::REJECT_COLUMNS),
        }
    }

    /// Partition columns, which are not stored in the data files.
    pub fn partition_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[EVENT_DATE],
            Self::Objects | Self::Rejects => &[],
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
        }
    }
}
