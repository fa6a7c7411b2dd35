//! `day_of_week(time)`, `hour(time)` and their like, and `date(time)`: parts of a time, UTC, by the names of Trino.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::Int64Array;
use arrow::compute;
use arrow::compute::DatePart;
use arrow::datatypes::DataType;
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

use crate::query::params::timestamp_type;

/// All functions that take a time apart.
pub(super) fn all() -> impl Iterator<Item = ScalarUDF> {
    let parts = [
        ("day_of_week", Part::DayOfWeek),
        ("year", Part::Year),
        ("month", Part::Month),
        ("day", Part::Day),
        ("day_of_month", Part::Day),
        ("hour", Part::Hour),
        ("minute", Part::Minute),
        ("second", Part::Second),
        ("date", Part::Date),
    ];
    parts.into_iter().map(|(name, part)| {
        ScalarUDF::from(TimePart {
            name,
            part,
            signature: Signature::exact(vec![timestamp_type()], Volatility::Immutable),
        })
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    /// 1 is Monday, 7 is Sunday.
    DayOfWeek,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Date,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimePart {
    name: &'static str,
    part: Part,
    signature: Signature,
}

impl ScalarUDFImpl for TimePart {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.part {
            Part::Date => DataType::Date32,
            _ => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times] = ColumnarValue::values_to_arrays(&args.args)?
            .try_into()
            .unwrap_or_else(|_| [arrow::array::new_null_array(&timestamp_type(), args.number_rows)]);
        let (part, first) = match self.part {
            Part::Date => return Ok(ColumnarValue::Array(compute::cast(&times, &DataType::Date32)?)),
            Part::DayOfWeek => (DatePart::DayOfWeekMonday0, 1),
            Part::Year => (DatePart::Year, 0),
            Part::Month => (DatePart::Month, 0),
            Part::Day => (DatePart::Day, 0),
            Part::Hour => (DatePart::Hour, 0),
            Part::Minute => (DatePart::Minute, 0),
            Part::Second => (DatePart::Second, 0),
        };
        let numbers = compute::date_part(&times, part)?;
        let numbers: Int64Array = numbers
            .as_primitive::<Int32Type>()
            .iter()
            .map(|number| number.map(|number| i64::from(number) + first))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(numbers)))
    }
}
