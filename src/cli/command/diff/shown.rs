//! Which columns a table on a terminal has: as many as leave room for names.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::datatypes::Float64Type;
use arrow::datatypes::Int64Type;

use crate::cli::output::Output;
use crate::cli::rows::LEFT_OUT;
use crate::report::Arrangement;
use crate::report::Format;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::Summary;
use crate::report::short_name;

/// Whose row it is: an ARN where there is room for it, or else account and name.
const PRINCIPAL: &str = "principal";
const PRINCIPAL_ARN: &str = "principal_arn";

/// The share of permissions that can be taken away: a number from 0 to 1, in tables a percentage.
const REDUCTION: &str = "reduction";

/// Where it stands in its policy, of which a terminal has no column: the policy's name stands with it.
const STATEMENT: &str = "statement";

/// Columns of every kind of row that a terminal has, from the most important on.
const ORDER: &[&str] = &[
    PRINCIPAL,
    "group",
    "action",
    "finding",
    "verdict",
    "removable",
    REDUCTION,
    "message",
    "granted",
    "used",
    "unknown",
    "reason",
    "activity",
    "scope",
    "principal_count",
    "uses",
    STATEMENT,
];

/// What is said of principals and permissions goes on below where there is no room, and so do long names.
const WRAPPED: &[(&str, usize)] = &[
    (PRINCIPAL, 26),
    ("group", 26),
    ("message", 26),
    ("reason", 14),
    ("scope", 14),
    (STATEMENT, 12),
];

/// How rows are shown in one format.
#[derive(Debug)]
pub(super) struct Shown {
    is_table: bool,
    /// It must fit a terminal.
    is_narrow: bool,
    is_detailed: bool,
    has_left_out: Cell<bool>,
}

impl Shown {
    /// For rows of which many belong to one principal or group, that one stands above them.
    pub(super) fn new(options: &mut ResultOptions, is_detailed: bool) -> Self {
        let is_table = options.format == Format::Table;
        let is_narrow = is_table && options.width.is_some();
        if is_narrow {
            options.arrangement = Arrangement {
                order: ORDER,
                wrapped: WRAPPED,
                heading: is_detailed.then_some(PRINCIPAL),
            };
        }
        Self {
            is_table,
            is_narrow,
            is_detailed,
            has_left_out: Cell::new(false),
        }
    }

    /// The rows as a table has them; other formats have them as they are.
    pub(super) fn of(&self, batch: RecordBatch) -> Result<RecordBatch, ReportError> {
        if !self.is_table {
            return Ok(batch);
        }
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| match field.name().as_str() {
            PRINCIPAL_ARN if self.is_narrow => PRINCIPAL,
            "group" if self.is_narrow && self.is_detailed => PRINCIPAL,
            name => name,
        });
        let columns = names.zip(batch.columns());
        let columns = columns.filter(|(name, _)| !self.is_narrow || ORDER.contains(name));
        let shown: Vec<(&str, ArrayRef, bool)> = columns
            .map(|(name, column)| (name, self.shown(&batch, name, column), true))
            .collect();
        self.has_left_out.set(shown.len() < batch.num_columns());
        Ok(RecordBatch::try_from_iter_with_nullable(shown)?)
    }

    /// Says where the columns are that were left out.
    pub(super) fn tell(&self, summary: &Summary, output: &mut Output) {
        if self.has_left_out.get() && !summary.left_out_columns {
            output.note(LEFT_OUT);
        }
    }

    fn shown(&self, batch: &RecordBatch, name: &str, column: &ArrayRef) -> ArrayRef {
        let policies = batch
            .column_by_name("policy")
            .filter(|_| self.is_narrow && name == STATEMENT);
        if let Some(places) = policies.and_then(|policies| statements(policies, column)) {
            return places;
        }
        if let Some(shares) = column.as_primitive_opt::<Float64Type>().filter(|_| name == REDUCTION) {
            let percentages = shares.iter().map(|share| Some(format!("{:>7.1} %", share? * 100.0)));
            return Arc::new(percentages.collect::<StringArray>());
        }
        match column.as_string_opt::<i32>() {
            Some(arns) if name == PRINCIPAL && !self.is_detailed => {
                Arc::new(arns.iter().map(|arn| Some(short_name(arn?))).collect::<StringArray>())
            }
            _ => Arc::clone(column),
        }
    }
}

/// Statements by the name of their policy and their position in it.
fn statements(policies: &ArrayRef, numbers: &ArrayRef) -> Option<ArrayRef> {
    let (policies, numbers) = (
        policies.as_string_opt::<i32>()?,
        numbers.as_primitive_opt::<Int64Type>()?,
    );
    let places = policies.iter().zip(numbers).map(|(policy, number)| {
        let name = policy?.rsplit(['/', '#']).next().unwrap_or_default();
        Some(format!("{name} {}", number?))
    });
    Some(Arc::new(places.collect::<StringArray>()))
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
        let arn = "arn:aws:iam::111122223333:role/a/b";
        let batch = RecordBatch::try_from_iter([
            ("principal_arn", Arc::new(StringArray::from(vec![arn])) as ArrayRef),
            ("activity", Arc::new(StringArray::from(vec!["active"])) as ArrayRef),
            ("granted", Arc::clone(&number)),
            (REDUCTION, reductions),
            ("blocked", number),
        ]);
        let mut options = ResultOptions {
            format,
            limit: Limit::All,
            width,
            shape: TableShape::Auto,
            color: false,
            csv_raw: false,
            arrangement: Arrangement::default(),
        };
        let shown = Shown::new(&mut options, false);
        let batch = shown.of(batch.unwrap()).unwrap();
        let names = batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let column = |position: usize| {
            let texts = batch.column(position).as_string_opt::<i32>();
            texts.map_or("a number", |texts| texts.value(0)).trim().to_owned()
        };
        (names, format!("{} {}", column(0), column(3)))
    }

    #[test]
    fn terminal_has_short_names_and_the_columns_that_matter_and_other_formats_have_all() {
        let all = ["principal_arn", "activity", "granted", "reduction", "blocked"];
        let (names, cells) = columns(Format::Table, Some(80));
        assert_eq!(names, ["principal", "activity", "granted", "reduction"]);
        assert_eq!(cells, "111122223333/b 66.7 %");
        assert_eq!(columns(Format::Table, None).0, all);
        assert_eq!(columns(Format::Csv, Some(80)).0, all);
    }

    #[test]
    fn reduction_is_a_percentage_in_tables_only() {
        let arn = "arn:aws:iam::111122223333:role/a/b";
        assert_eq!(columns(Format::Table, None).1, format!("{arn} 66.7 %"));
        assert_eq!(columns(Format::Json, None).1, format!("{arn} a number"));
    }

    #[test]
    fn statements_of_a_terminal_stand_with_the_name_of_their_policy() {
        let ids = [
            Some("arn:aws:iam::111122223333:role/r#inline"),
            Some("arn:aws:iam::aws:policy/x/Read"),
            None,
        ];
        let policies: ArrayRef = Arc::new(StringArray::from(ids.to_vec()));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
        let places = statements(&policies, &numbers).unwrap();
        let places: Vec<Option<&str>> = places.as_string::<i32>().iter().collect();
        assert_eq!(places, [Some("inline 1"), Some("Read 2"), None]);
    }
}
