//! `iam_facts_date()`: the day of the facts with which `iam_actions` works.

use std::hash::Hash;
use std::hash::Hasher;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

use crate::iam::Facts;

#[derive(Debug)]
pub(super) struct FactsDate {
    /// The embedded ones when absent.
    facts: Option<&'static Facts>,
    signature: Signature,
}

impl FactsDate {
    pub(super) fn new(facts: Option<&'static Facts>) -> Self {
        Self {
            facts,
            signature: Signature::nullary(Volatility::Immutable),
        }
    }

    fn date(&self) -> &'static str {
        self.facts.unwrap_or_else(Facts::embedded).catalogue_date()
    }
}

impl PartialEq for FactsDate {
    fn eq(&self, other: &Self) -> bool {
        self.date() == other.date()
    }
}

impl Eq for FactsDate {}

impl Hash for FactsDate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.date().hash(state);
    }
}

impl ScalarUDFImpl for FactsDate {
    fn name(&self) -> &'static str {
        "iam_facts_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::from(self.date())))
    }
}
