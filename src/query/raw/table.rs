//! Raw log files as a table: lists the objects of a path when it is scanned and reads them in parallel.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::common::project_schema;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::TableProviderFilterPushDown;
use datafusion::logical_expr::TableType;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::streaming::StreamingTableExec;
use tokio::runtime::Handle;

use super::pruning::DeliveryDays;
use super::pruning::days_for;
use super::pruning::objects_for;
use super::skipped::SkippedNotes;
use super::stream::ObjectStream;
use crate::query::table::as_hints;
use crate::query::table::with_views;
use crate::schema;
use crate::source::BucketPrefix;
use crate::source::History;
use crate::source::Lister;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::Request;
use crate::source::S3Options;
use crate::source::Selection;
use crate::source::SourceError;

/// The objects below one path.
#[derive(Debug)]
pub(super) struct RawTable {
    path: String,
    s3: S3Options,
    schema: SchemaRef,
    skipped: SkippedNotes,
}

impl RawTable {
    pub(super) fn new(path: String, s3: S3Options, skipped: SkippedNotes) -> Self {
        Self {
            path,
            s3,
            skipped,
            schema: with_views(&schema::events()),
        }
    }

    /// Objects of the days; of a folder, all there are.
    async fn objects(&self, days: DeliveryDays) -> Result<Vec<ObjectRef>> {
        let request = Request {
            sources: vec![self.path.clone()],
            selection: Selection {
                first_day: days.first,
                last_day: days.last,
                ..Selection::default()
            },
            s3: self.s3.clone(),
            ..Request::default()
        };
        // A folder is walked at once, which blocks.
        let runtime = Handle::current();
        let listing = SpawnedTask::spawn_blocking(move || runtime.block_on(list(&request)));
        let listed = listing.join().await;
        let listed = listed.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        let listing = listed.map_err(|error| DataFusionError::External(Box::new(error)))?;
        for (place, cause) in listing.unlisted {
            self.skipped.add(&place, format!("cannot be listed: {cause}"));
        }
        Ok(listing.objects)
    }
}

/// All objects of a source at once: a query reads them in no order.
async fn list(request: &Request) -> std::result::Result<Listing, SourceError> {
    let mut lister = Lister::open(request, &History::default()).await?;
    let mut all = Listing::default();
    while let Some(part) = lister.next().await? {
        all.objects.extend(part.objects);
        all.unlisted.extend(part.unlisted);
    }
    Ok(all)
}

#[async_trait]
impl TableProvider for RawTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(as_hints(filters))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let objects = match conjunction(filters.iter().cloned()) {
            None => self.objects(DeliveryDays::default()).await?,
            Some(filter) => {
                let df_schema = DFSchema::try_from(Arc::clone(&self.schema))?;
                let predicate = state.create_physical_expr(filter, &df_schema)?;
                // A folder is walked whole anyway.
                let days = match BucketPrefix::parse(&self.path) {
                    Some(_) => days_for(&self.schema, &predicate)?,
                    None => DeliveryDays::default(),
                };
                objects_for(self.objects(days).await?, &self.schema, &predicate)?
            }
        };
        let projected_schema = project_schema(&self.schema, projection)?;
        if objects.is_empty() {
            return Ok(Arc::new(EmptyExec::new(projected_schema)));
        }
        let partition_count = state
            .config_options()
            .execution
            .target_partitions
            .clamp(1, objects.len());
        let mut parts: Vec<Vec<ObjectRef>> = vec![Vec::new(); partition_count];
        // Neighbours are of about the same size, so dealing them out in turn balances the parts.
        for (index, object) in objects.into_iter().enumerate() {
            if let Some(part) = parts.get_mut(index % partition_count) {
                part.push(object);
            }
        }
        let streams = parts.into_iter().map(|part| {
            let stream = ObjectStream::new(part, Arc::clone(&projected_schema), self.skipped.clone());
            Arc::new(stream) as Arc<dyn PartitionStream>
        });
        let plan = StreamingTableExec::try_new(
            Arc::clone(&projected_schema),
            streams.collect(),
            None,
            None,
            false,
            limit,
        )?;
        Ok(Arc::new(plan))
    }
}
