//! The table function: checks its argument, lists nothing yet.

use std::sync::Arc;

use datafusion::catalog::TableFunctionArgs;
use datafusion::catalog::TableFunctionImpl;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::Result;

use super::skipped::SkippedNotes;
use super::table::RawTable;

/// `read_cloudtrail(path)`; the path is a text literal.
#[derive(Debug)]
pub(in crate::query) struct ReadCloudtrail {
    skipped: SkippedNotes,
}

impl ReadCloudtrail {
    /// `skipped` is told what cannot be read.
    pub(in crate::query) fn new(skipped: SkippedNotes) -> Self {
        Self { skipped }
    }
}

impl TableFunctionImpl for ReadCloudtrail {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let usage = || DataFusionError::Plan("write `read_cloudtrail('folder or file')`".to_owned());
        let [argument] = args.exprs() else { return Err(usage()) };
        let path = argument
            .as_literal()
            .and_then(|scalar| scalar.try_as_str().flatten())
            .ok_or_else(usage)?;
        if path.starts_with("s3://") {
            let message = format!(
                "cannot read `{path}`: `read_cloudtrail` reads files and folders only; load the bucket with `trimtrail \
                 ingest`, or copy the objects first"
            );
            return Err(DataFusionError::Plan(message));
        }
        Ok(Arc::new(RawTable::new(path.to_owned(), self.skipped.clone())))
    }
}
