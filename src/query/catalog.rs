//! The names that SQL can use: the tables of the store, the views over them, and the table functions that also stand
//! without arguments.
//!
//! Tables are opened and views planned when a query first names them, so a query that needs none pays for none.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::CatalogProvider;
use datafusion::catalog::CatalogProviderList;
use datafusion::catalog::MemoryCatalogProviderList;
use datafusion::catalog::SchemaProvider;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::datasource::ViewTable;
use datafusion::execution::SessionState;
use tokio::sync::OnceCell;

use super::derived::DerivedFunction;
use super::table::StoreTable;
use crate::iam::Facts;
use crate::schema::Table;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::TableSnapshot;
use crate::store::UsageLack;
use crate::store::UsageRollup;

/// Name of the one catalog.
pub(super) const CATALOG: &str = "trimtrail";
/// Name of the one schema.
pub(super) const SCHEMA: &str = "public";

/// A view: name and `select`.
pub(super) struct View {
    /// Name in SQL and stem of the file.
    pub(super) name: &'static str,
    /// The text of the file.
    pub(super) sql: &'static str,
}

/// The views that every session has, in alphabetical order.
pub(super) const VIEWS: &[View] = &[
    View {
        name: "aws_cloudtrail_log",
        sql: include_str!("../../queries/views/aws_cloudtrail_log.sql"),
    },
    View {
        name: "cloudtrail_logs",
        sql: include_str!("../../queries/views/cloudtrail_logs.sql"),
    },
    View {
        name: "event_records",
        sql: include_str!("../../queries/views/event_records.sql"),
    },
    View {
        name: "used_actions",
        sql: include_str!("../../queries/views/used_actions.sql"),
    },
];

/// `usage` of a store whose rollup cannot be used.
const USAGE_OF_EVENTS: View = View {
    name: "usage",
    sql: include_str!("../../queries/views/usage.sql"),
};

/// Where `usage` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageSource {
    /// The rollup.
    Rollup,
    /// The events, as the rollup cannot be used.
    Events(UsageLack),
}

impl UsageSource {
    /// The table that is read: `usage` or `events`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rollup => Table::Usage.name(),
            Self::Events(_) => Table::Events.name(),
        }
    }
}

/// The tables of a store, all at one version; none without a store. `facts` are the embedded ones when absent.
pub(super) fn tables(store: Option<&Store>, version: Option<u64>, facts: Option<&'static Facts>) -> Arc<StoreTables> {
    Arc::new(StoreTables {
        facts,
        usage: OnceCell::new(),
        store: store.cloned(),
        version: OnceCell::new_with(version),
        opened: Table::ALL.map(|_| OnceCell::new()),
    })
}

/// The catalog of a session; `planner` plans the views and knows every function they use.
pub(super) fn catalog(
    tables: &Arc<StoreTables>,
    mut planner: SessionState,
    derived: Vec<DerivedFunction>,
) -> Arc<dyn CatalogProvider> {
    let base_catalog = MemoryCatalogProviderList::new();
    base_catalog.register_catalog(
        CATALOG.to_owned(),
        Arc::new(OneSchema {
            schema: Arc::clone(tables) as Arc<dyn SchemaProvider>,
        }),
    );
    planner.register_catalog_list(Arc::new(base_catalog));
    let planned = VIEWS.iter().map(|_| OnceCell::new()).collect();
    Arc::new(OneSchema {
        schema: Arc::new(TablesAndViews {
            tables: Arc::clone(tables),
            planner,
            planned,
            planned_usage: OnceCell::new(),
            derived,
        }),
    })
}

/// A catalog that holds the schema `public` and takes no other.
#[derive(Debug)]
struct OneSchema {
    schema: Arc<dyn SchemaProvider>,
}

impl CatalogProvider for OneSchema {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == SCHEMA).then(|| Arc::clone(&self.schema))
    }
}

/// The tables of a store, opened when first named.
#[derive(Debug)]
pub(super) struct StoreTables {
    store: Option<Store>,
    /// The version of the store that all tables show: given, or the newest when the first table was opened.
    version: OnceCell<u64>,
    opened: [OnceCell<Arc<dyn TableProvider>>; Table::ALL.len()],
    facts: Option<&'static Facts>,
    /// Known when a query first names `usage`.
    usage: OnceCell<FoundUsage>,
}

/// Where `usage` is read, with the rollup if it is there: the one that was found to hold what the session shows.
#[derive(Debug)]
struct FoundUsage {
    source: UsageSource,
    rollup: Option<Arc<dyn TableProvider>>,
}

impl StoreTables {
    /// Whether there is a store.
    pub(super) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// The table at the session's version, so that a query never mixes the tables of two ingests.
    async fn snapshot(&self, store: &Store, table: Table) -> Result<TableSnapshot, StoreError> {
        let snapshot = match self.version.get() {
            Some(version) => store.snapshot_at(table, *version).await?,
            None => store.snapshot(table).await?,
        };
        let version = *self.version.get_or_init(|| async { snapshot.version }).await;
        if snapshot.version == version {
            Ok(snapshot)
        } else {
            store.snapshot_at(table, version).await
        }
    }

    /// Where `usage` is read; `None` until a query has named it.
    pub(super) fn usage_source(&self) -> Option<UsageSource> {
        self.usage.get().map(|found| found.source)
    }

    /// The rollup, unless it cannot be used at the session's version, or with its facts.
    async fn rollup(&self) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(store) = &self.store else { return Ok(None) };
        let found = self.usage.get_or_try_init(|| self.find_usage(store)).await?;
        Ok(found.rollup.clone())
    }

    async fn find_usage(&self, store: &Store) -> Result<FoundUsage, DataFusionError> {
        let failed = |error| DataFusionError::External(Box::new(error));
        let version = *self.version.get_or_try_init(|| store.version()).await.map_err(failed)?;
        let facts = self.facts.unwrap_or_else(Facts::embedded);
        let rollup = store.usage_rollup(version, &facts.version()).await.map_err(failed)?;
        Ok(match rollup {
            UsageRollup::Complete(snapshot) => FoundUsage {
                source: UsageSource::Rollup,
                rollup: Some(Arc::new(StoreTable::try_new(snapshot)?)),
            },
            UsageRollup::Behind(lack) => FoundUsage {
                source: UsageSource::Events(lack),
                rollup: None,
            },
        })
    }

    async fn open(&self, store: &Store, table: Table) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let snapshot = self.snapshot(store, table).await;
        let snapshot = snapshot.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Arc::new(StoreTable::try_new(snapshot)?))
    }
}

#[async_trait]
impl SchemaProvider for StoreTables {
    fn table_names(&self) -> Vec<String> {
        match self.store {
            Some(_) => Table::ALL.iter().map(|table| table.name().to_owned()).collect(),
            None => Vec::new(),
        }
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(store) = &self.store else { return Ok(None) };
        let found = Table::ALL
            .into_iter()
            .zip(&self.opened)
            .find(|(table, _)| table.name() == name);
        let Some((table, cell)) = found else { return Ok(None) };
        let provider = cell.get_or_try_init(|| self.open(store, table)).await?;
        Ok(Some(Arc::clone(provider)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.store.is_some() && Table::ALL.iter().any(|table| table.name() == name)
    }
}

struct TablesAndViews {
    tables: Arc<StoreTables>,
    planner: SessionState,
    planned: Vec<OnceCell<Arc<dyn TableProvider>>>,
    planned_usage: OnceCell<Arc<dyn TableProvider>>,
    derived: Vec<DerivedFunction>,
}

impl fmt::Debug for TablesAndViews {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TablesAndViews")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl TablesAndViews {
    async fn plan(&self, view: &View) -> Result<Arc<dyn TableProvider>, DataFusionError> {
        let plan = self.planner.create_logical_plan(view.sql).await?;
        Ok(Arc::new(ViewTable::new(plan, Some(view.sql.to_owned()))))
    }
}

#[async_trait]
impl SchemaProvider for TablesAndViews {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        if self.tables.store.is_some() {
            names.extend(VIEWS.iter().map(|view| view.name.to_owned()));
            names.extend(self.derived.iter().map(|function| function.name().to_owned()));
            names.sort();
        }
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if self.tables.store.is_none() {
            return Ok(None);
        }
        if let Some(function) = self.derived.iter().find(|function| function.name() == name) {
            return Ok(Some(Arc::new(function.table(Vec::new())?)));
        }
        if name == USAGE_OF_EVENTS.name {
            let found = self.tables.rollup().await?;
            return Ok(Some(match found {
                Some(rollup) => rollup,
                None => {
                    let planned = self.planned_usage.get_or_try_init(|| self.plan(&USAGE_OF_EVENTS));
                    Arc::clone(planned.await?)
                }
            }));
        }
        let Some((view, cell)) = VIEWS.iter().zip(&self.planned).find(|(view, _)| view.name == name) else {
            return self.tables.table(name).await;
        };
        let provider = cell.get_or_try_init(|| self.plan(view)).await?;
        Ok(Some(Arc::clone(provider)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}
