//! `render_record(…)`: the JSON record of an event from all its columns, for the view `event_records`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

use crate::decode::render;
use crate::schema::EVENT_COLUMNS;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RenderRecord {
    signature: Signature,
}

impl RenderRecord {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::any(EVENT_COLUMNS.len(), Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for RenderRecord {
    fn name(&self) -> &'static str {
        "render_record"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(Arc::new(render::records(&columns)?)))
    }
}
