//! The table function: checks its argument, lists nothing yet.

use std::sync::Arc;

use datafusion::catalog::TableFunctionArgs;
use datafusion::catalog::TableFunctionImpl;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::Result;

use super::skipped::SkippedNotes;
use super::table::RawTable;
use crate::source::S3Options;

/// Its name.
pub const RAW_FUNCTION: &str = "read_cloudtrail";

/// `read_cloudtrail(path)`; the path is a text literal.
#[derive(Debug)]
pub(in crate::query) struct ReadCloudtrail {
    skipped: SkippedNotes,
    s3: S3Options,
}

impl ReadCloudtrail {
    /// `skipped` is told what cannot be read; `s3` says how buckets are reached.
    pub(in crate::query) fn new(skipped: SkippedNotes, s3: S3Options) -> Self {
        Self { skipped, s3 }
    }
}

/// What takes its place where statements may only read the store.
#[derive(Debug)]
pub(in crate::query) struct RefusedRawFiles;

impl TableFunctionImpl for RefusedRawFiles {
    fn call_with_args(&self, _: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        Err(DataFusionError::Plan(format!(
            "`{RAW_FUNCTION}` is not for the questions of a bundle: they are answered from the store alone, so that anyone with the store can ask them again"
        )))
    }
}

impl TableFunctionImpl for ReadCloudtrail {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let usage =
            || DataFusionError::Plan("write `read_cloudtrail('folder, file or s3://bucket/prefix')`".to_owned());
        let [argument] = args.exprs() else { return Err(usage()) };
        let path = argument
            .as_literal()
            .and_then(|scalar| scalar.try_as_str().flatten())
            .ok_or_else(usage)?;
        let table = RawTable::new(path.to_owned(), self.s3.clone(), self.skipped.clone());
        Ok(Arc::new(table))
    }
}
