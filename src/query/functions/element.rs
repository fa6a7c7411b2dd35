//! `element_at(container, position)`, as in Athena and CloudTrail Lake: of a list, a map, or of JSON text, which stands for
//! Lake's `map<string,string>` columns.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ElementAt {
    json_as_text: Arc<ScalarUDF>,
    array_element: Arc<ScalarUDF>,
    signature: Signature,
}

impl ElementAt {
    /// Members of JSON text come from `json_as_text`, elements of lists from `array_element`.
    pub(super) fn new(json_as_text: Arc<ScalarUDF>, array_element: Arc<ScalarUDF>) -> Self {
        Self {
            json_as_text,
            array_element,
            signature: Signature::any(2, Volatility::Immutable),
        }
    }

    fn inner(&self, container: Option<&DataType>) -> Result<&Arc<ScalarUDF>> {
        match container {
            Some(DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..)) => Ok(&self.array_element),
            Some(text) if text.is_string() || *text == DataType::Null => Ok(&self.json_as_text),
            _ => Err(DataFusionError::Plan(
                "`element_at` takes a list or JSON text".to_owned(),
            )),
        }
    }
}

impl ScalarUDFImpl for ElementAt {
    fn name(&self) -> &'static str {
        "element_at"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner(arg_types.first())?.return_type(arg_types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let container = args.arg_fields.first().map(|field| field.data_type().clone());
        self.inner(container.as_ref())?.invoke_with_args(args)
    }
}
