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
    let options = FormatOptions::default().with_null("-");
    let mut lines = Vec::new();
    for batch in batches {
        let formatters: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = formatters
                .iter()
                .map(|formatter| formatter.value(row).to_string())
                .collect();
            lines.push(values.join("|"));
        }
    }
    lines
}
