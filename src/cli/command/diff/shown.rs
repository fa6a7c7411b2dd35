//! Which columns a table on a terminal has: as many as leave room for names.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::Float64Type;

use crate::cli::output::Output;
use crate::report::Format;
use crate::report::ReportError;
use crate::report::ResultOptions;

/// A terminal of this width has room for the wider choice.
const WIDE: usize = 100;

/// The share of permissions that can be taken away: a number from 0 to 1, in tables a percentage.
const REDUCTION: &str = "reduction";

/// Columns of every kind of row; those that are kept whatever the width, and those that a wide terminal has besides.
const COLUMNS: &[(&str, bool)] = &[
    ("principal_arn", true),
    ("activity", false),
    ("finding", true),
    ("scope", false),
    ("message", true),
    ("group", true),
    ("principal_count", false),
    ("granted", true),
    ("used", true),
    ("unknown", true),
    ("removable", true),
    (REDUCTION, true),
    ("statement", false),
    ("action", true),
    ("verdict", true),
    ("uses", false),
    ("reason", true),
];

/// How rows are shown in one format.
#[derive(Debug)]
pub(super) struct Shown {
    is_table: bool,
    width: Option<usize>,
    has_left_out: Cell<bool>,
}

impl Shown {
    pub(super) fn new(options: &ResultOptions) -> Self {
        let is_table = options.format == Format::Table;
        Self {
            is_table,
            width: options.width.filter(|_| is_table),
            has_left_out: Cell::new(false),
        }
    }

    /// The rows as a table has them; other formats have them as they are.
    pub(super) fn of(&self, batch: RecordBatch) -> Result<RecordBatch, ReportError> {
        if !self.is_table {
            return Ok(batch);
        }
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let columns = names.zip(batch.columns()).filter(|(name, _)| self.has(name));
        let shown: Vec<(&str, ArrayRef, bool)> = columns
            .map(|(name, column)| (name, shown(name, column), true))
            .collect();
        self.has_left_out.set(shown.len() < batch.num_columns());
        Ok(RecordBatch::try_from_iter_with_nullable(shown)?)
    }

    /// Says where the columns are that were left out.
    pub(super) fn tell(&self, output: &mut Output) {
        if self.has_left_out.get() {
            output.note("further columns are left out; `--output json` has all");
        }
    }

    fn has(&self, name: &str) -> bool {
        self.width.is_none_or(|width| {
            let mut known = COLUMNS.iter().filter(|(known, _)| *known == name);
            known.any(|(_, is_kept)| *is_kept || width >= WIDE)
        })
    }
}

fn shown(name: &str, column: &ArrayRef) -> ArrayRef {
    match column.as_primitive_opt::<Float64Type>() {
        Some(shares) if name == REDUCTION => {
            let percentages = shares.iter().map(|share| Some(format!("{:>7.1} %", share? * 100.0)));
            Arc::new(percentages.collect::<StringArray>())
        }
        _ => Arc::clone(column),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Float64Array;
    use arrow::array::Int64Array;

    use super::*;
    use crate::report::Limit;
    use crate::report::TableShape;

    fn columns(format: Format, width: Option<usize>) -> (Vec<String>, String) {
        let reductions: ArrayRef = Arc::new(Float64Array::from(vec![2.0 / 3.0]));
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let batch = RecordBatch::try_from_iter([
            ("principal_arn", Arc::new(StringArray::from(vec!["arn"])) as ArrayRef),
            ("activity", Arc::new(StringArray::from(vec!["active"])) as ArrayRef),
            ("granted", Arc::clone(&number)),
            (REDUCTION, reductions),
            ("blocked", number),
        ]);
        let shown = Shown::new(&ResultOptions {
            format,
            limit: Limit::All,
            width,
            shape: TableShape::Auto,
            color: false,
            csv_raw: false,
        });
        let batch = shown.of(batch.unwrap()).unwrap();
        let names = batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let column = batch.column_by_name(REDUCTION).unwrap();
        let text = column.as_string_opt::<i32>().map_or("a number", |texts| texts.value(0));
        (names, text.trim().to_owned())
    }

    #[test]
    fn terminal_has_the_columns_that_fit_and_other_formats_have_all() {
        let all = ["principal_arn", "activity", "granted", "reduction", "blocked"];
        assert_eq!(
            columns(Format::Table, Some(80)).0,
            ["principal_arn", "granted", "reduction"]
        );
        assert_eq!(columns(Format::Table, Some(100)).0, all[..4]);
        assert_eq!(columns(Format::Table, None).0, all);
        assert_eq!(columns(Format::Csv, Some(80)).0, all);
    }

    #[test]
    fn reduction_is_a_percentage_in_tables_only() {
        assert_eq!(columns(Format::Table, None).1, "66.7 %");
        assert_eq!(columns(Format::Json, None).1, "a number");
    }
}
