//! `date_add(unit, number, time)` as in Athena, for saved queries.

use arrow::array::IntervalMonthDayNanoArray;
use arrow::compute;
use arrow::compute::kernels::numeric;
use arrow::datatypes::DataType;
use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

use crate::query::params::timestamp_type;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// `date_add('day', -7, time)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateAdd {
    signature: Signature,
}

impl DateAdd {
    pub(super) fn new() -> Self {
        let types = vec![DataType::Utf8, DataType::Int64, timestamp_type()];
        Self {
            signature: Signature::exact(types, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for DateAdd {
    fn name(&self) -> &'static str {
        "date_add"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(timestamp_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let unit = text_literal(args.args.first()).ok_or_else(|| bad("`date_add`: the unit must be a text literal"))?;
        let count = match args.args.get(1) {
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(count)))) => *count,
            _ => return Err(bad("`date_add`: the number must be a literal")),
        };
        let interval = interval(&unit, count).ok_or_else(|| {
            bad(&format!(
                "`date_add`: cannot add {count} `{unit}`; units are second to year"
            ))
        })?;
        let arrays = ColumnarValue::values_to_arrays(args.args.get(2..).unwrap_or_default())?;
        let times = arrays.first().ok_or_else(|| bad("`date_add`: there is no time"))?;
        let sum = numeric::add(times, &IntervalMonthDayNanoArray::new_scalar(interval))?;
        Ok(ColumnarValue::Array(compute::cast(&sum, &timestamp_type())?))
    }
}

fn interval(unit: &str, count: i64) -> Option<IntervalMonthDayNano> {
    let whole = i32::try_from(count).ok()?;
    let months = |factor: i32| Some(IntervalMonthDayNano::new(whole.checked_mul(factor)?, 0, 0));
    let days = |factor: i32| Some(IntervalMonthDayNano::new(0, whole.checked_mul(factor)?, 0));
    let seconds = |factor: i64| {
        Some(IntervalMonthDayNano::new(
            0,
            0,
            count.checked_mul(factor)?.checked_mul(NANOS_PER_SECOND)?,
        ))
    };
    match unit.to_ascii_lowercase().as_str() {
        "second" => seconds(1),
        "minute" => seconds(60),
        "hour" => seconds(3600),
        "day" => days(1),
        "week" => days(7),
        "month" => months(1),
        "quarter" => months(3),
        "year" => months(12),
        _ => None,
    }
}

/// The text of an argument that is a literal.
pub(super) fn text_literal(value: Option<&ColumnarValue>) -> Option<String> {
    match value {
        Some(ColumnarValue::Scalar(scalar)) => scalar.try_as_str().flatten().map(str::to_owned),
        Some(ColumnarValue::Array(_)) | None => None,
    }
}

fn bad(message: &str) -> DataFusionError {
    DataFusionError::Execution(message.to_owned())
}
