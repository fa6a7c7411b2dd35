//! `lower_case_resources(resources)`: the `resources` column with the field names of the Athena table.

use std::sync::Arc;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::ListArray;
use arrow::array::StructArray;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::FieldRef;
use arrow::datatypes::Fields;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

use crate::schema;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LowerCaseResources {
    signature: Signature,
}

impl LowerCaseResources {
    pub(super) fn new() -> Self {
        let list = list_type(schema::resource_fields());
        Self {
            signature: Signature::exact(vec![list], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LowerCaseResources {
    fn name(&self) -> &'static str {
        "lower_case_resources"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(list_type(lower_case_fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(lists) = arrays.first().and_then(|array| array.as_list_opt::<i32>()) else {
            return Err(DataFusionError::Execution(
                "`lower_case_resources` takes the column `resources`".to_owned(),
            ));
        };
        let elements = lists.values().as_struct();
        let renamed = StructArray::try_new(
            lower_case_fields(),
            elements.columns().to_vec(),
            elements.nulls().cloned(),
        )?;
        let renamed_lists = ListArray::try_new(
            element_field(lower_case_fields()),
            lists.offsets().clone(),
            Arc::new(renamed),
            lists.nulls().cloned(),
        )?;
        Ok(ColumnarValue::Array(Arc::new(renamed_lists)))
    }
}

fn lower_case_fields() -> Fields {
    let renamed = schema::resource_fields();
    renamed
        .iter()
        .map(|field| Field::clone(field).with_name(field.name().replace('_', "")))
        .collect()
}

fn list_type(fields: Fields) -> DataType {
    DataType::List(element_field(fields))
}

fn element_field(fields: Fields) -> FieldRef {
    Arc::new(Field::new("element", DataType::Struct(fields), true))
}
