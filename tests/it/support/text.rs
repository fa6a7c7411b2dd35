//! Query results as text.

use arrow::array::RecordBatch;
use arrow::util::display::ArrayFormatter;
use arrow::util::display::FormatOptions;
use futures::TryStreamExt;
use trimtrail::query::ParamText;
use trimtrail::query::QueryError;
use trimtrail::query::QuerySession;
use trimtrail::query::ResultStream;

/// Runs a statement and gives one text per row, values separated by `|`, nulls as `-`.
pub(crate) async fn rows(
    session: &QuerySession,
    sql: &str,
    params: &[(&str, &str)],
) -> Result<Vec<String>, QueryError> {
    let params: Vec<(String, ParamText)> = params
        .iter()
        .map(|(name, text)| ((*name).to_owned(), ParamText::from(*text)))
        .collect();
    of_stream(session.sql(sql, &params).await?).await
}

/// All rows of a result, one text per row, values separated by `|`, nulls as `-`.
pub(crate) async fn of_stream(result: ResultStream) -> Result<Vec<String>, QueryError> {
    let batches: Vec<RecordBatch> = result.stream.try_collect().await?;
    Ok(of_batches(&batches))
}

fn of_batches(batches: &[RecordBatch]) -> Vec<String> {
    batches
        .iter()
        .flat_map(|batch| cells_of(batch, "-"))
        .map(|cells| cells.join("|"))
        .collect()
}

fn cells_of(batch: &RecordBatch, null: &str) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null(null);
    let formatters: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    let row_cells = |row: usize| {
        formatters
            .iter()
            .map(|formatter| formatter.value(row).to_string())
            .collect()
    };
    (0..batch.num_rows()).map(row_cells).collect()
}

/// All values of a result as text, nulls as `NULL`.
pub(crate) async fn cells(result: ResultStream) -> Result<Vec<Vec<String>>, QueryError> {
    let batches: Vec<RecordBatch> = result.stream.try_collect().await?;
    Ok(batches.iter().flat_map(|batch| cells_of(batch, "NULL")).collect())
}
