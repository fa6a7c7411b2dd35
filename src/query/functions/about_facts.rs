//! `iam_facts_date()` and `iam_facts_version()`: the day and the version of the facts with which `iam_actions` works.

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

/// What of the facts a function tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Told {
    Date,
    Version,
}

#[derive(Debug)]
pub(super) struct AboutFacts {
    told: Told,
    /// The embedded ones when absent.
    facts: Option<&'static Facts>,
    signature: Signature,
}

impl AboutFacts {
    pub(super) fn new(told: Told, facts: Option<&'static Facts>) -> Self {
        Self {
            told,
            facts,
            signature: Signature::nullary(Volatility::Immutable),
        }
    }

    fn text(&self) -> String {
        let facts = self.facts.unwrap_or_else(Facts::embedded);
        match self.told {
            Told::Date => facts.catalogue_date().to_owned(),
            Told::Version => facts.version(),
        }
    }
}

impl PartialEq for AboutFacts {
    fn eq(&self, other: &Self) -> bool {
        self.told == other.told && self.text() == other.text()
    }
}

impl Eq for AboutFacts {}

impl Hash for AboutFacts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.told.hash(state);
        self.text().hash(state);
    }
}

impl ScalarUDFImpl for AboutFacts {
    fn name(&self) -> &'static str {
        match self.told {
            Told::Date => "iam_facts_date",
            Told::Version => "iam_facts_version",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::from(self.text())))
    }
}
