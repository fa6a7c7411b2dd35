//! `iam_actions(event_source, event_name, …)`: the IAM actions that a call needed, as a list.
//!
//! A call that needed none, or of which nothing is known, gives one element without action that says why.

use std::collections::HashMap;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use arrow::array::Array;
use arrow::array::ArrayRef;
use arrow::array::AsArray;
use arrow::array::ListArray;
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::TypeSignature;
use datafusion::logical_expr::Volatility;

use super::action_rows;
use super::action_rows::ActionRows;
use super::text::Texts;
use crate::iam::Call;
use crate::iam::Facts;
use crate::iam::KnownOperation;

/// Arguments in their order; all but the first two may be left out from the end.
const ARGUMENTS: [&str; 12] = [
    "event_source",
    "event_name",
    "event_type",
    "error_code",
    "error_message",
    "request_parameters",
    "additional_event_data",
    "resources",
    "passed_role_arns",
    "recipient_account_id",
    "aws_region",
    "user_identity_type",
];
const RESOURCES: usize = 7;
const PASSED_ROLES: usize = 8;

#[derive(Debug)]
pub(super) struct IamActions {
    /// The embedded ones when absent.
    facts: Option<&'static Facts>,
    signature: Signature,
}

impl IamActions {
    pub(super) fn new(facts: Option<&'static Facts>) -> Self {
        let counts = (2..=ARGUMENTS.len()).map(TypeSignature::Any).collect();
        Self {
            facts,
            signature: Signature::one_of(counts, Volatility::Immutable),
        }
    }
}

impl PartialEq for IamActions {
    fn eq(&self, other: &Self) -> bool {
        match (self.facts, other.facts) {
            (Some(own), Some(theirs)) => std::ptr::eq(own, theirs),
            (own, theirs) => own.is_none() && theirs.is_none(),
        }
    }
}

impl Eq for IamActions {}

impl Hash for IamActions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.facts.is_some().hash(state);
    }
}

impl ScalarUDFImpl for IamActions {
    fn name(&self) -> &'static str {
        "iam_actions"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(action_rows::list_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let columns = Columns::new(&arrays)?;
        let facts = self.facts.unwrap_or_else(Facts::embedded);
        let mut operations: HashMap<(&str, &str), Arc<KnownOperation>> = HashMap::new();
        let mut rows = ActionRows::new();
        for row in 0..arrays.first().map_or(0, |array| array.len()) {
            // A record without source or name, as of Insights, is an event without an operation, not without a row.
            let (source, name) = (
                columns.text(0, row).unwrap_or_default(),
                columns.text(1, row).unwrap_or_default(),
            );
            let known = operations.entry((source, name));
            let operation = known.or_insert_with(|| facts.operation(source, name));
            let (resources, roles) = (columns.resource_arns(row), columns.passed_roles(row));
            let call = columns.call(row, (source, name), (&resources, &roles));
            rows.push(facts, &facts.actions_of_operation(operation, &call));
        }
        Ok(ColumnarValue::Array(rows.finish()?))
    }
}

/// The arguments of one batch.
struct Columns {
    texts: Vec<Option<Texts>>,
    resources: Option<Lists>,
    passed_roles: Option<Lists>,
}

/// A list column and the texts of its elements.
struct Lists {
    lists: ListArray,
    elements: Texts,
}

impl Columns {
    fn new(arrays: &[ArrayRef]) -> Result<Self> {
        let mut columns = Self {
            texts: Vec::new(),
            resources: None,
            passed_roles: None,
        };
        for (index, (array, name)) in arrays.iter().zip(ARGUMENTS).enumerate() {
            let mut texts = None;
            match index {
                RESOURCES => columns.resources = lists(array, name)?,
                PASSED_ROLES => columns.passed_roles = lists(array, name)?,
                _ => texts = Some(Texts::new(array)?),
            }
            columns.texts.push(texts);
        }
        Ok(columns)
    }

    fn text(&self, argument: usize, row: usize) -> Option<&str> {
        self.texts.get(argument)?.as_ref()?.get(row)
    }

    fn resource_arns(&self, row: usize) -> Vec<&str> {
        self.resources.as_ref().map_or_else(Vec::new, |lists| lists.get(row))
    }

    fn passed_roles(&self, row: usize) -> Vec<&str> {
        self.passed_roles.as_ref().map_or_else(Vec::new, |lists| lists.get(row))
    }

    fn call<'a>(&'a self, row: usize, operation: (&'a str, &'a str), arns: (&'a [&'a str], &'a [&'a str])) -> Call<'a> {
        let text = |argument| self.text(argument, row);
        Call {
            event_source: operation.0,
            event_name: operation.1,
            event_type: text(2),
            error_code: text(3),
            error_message: text(4),
            request_parameters: text(5),
            additional_event_data: text(6),
            resource_arns: arns.0,
            passed_role_arns: arns.1,
            account_id: text(9),
            region: text(10),
            identity_type: text(11),
        }
    }
}

impl Lists {
    fn get(&self, row: usize) -> Vec<&str> {
        if self.lists.is_null(row) {
            return Vec::new();
        }
        let offsets = self.lists.value_offsets();
        let bound = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok());
        let (start, end) = (bound(row).unwrap_or_default(), bound(row + 1).unwrap_or_default());
        (start..end).filter_map(|element| self.elements.get(element)).collect()
    }
}

/// A list of texts, or of structs whose member `arn` is text; none for null.
fn lists(array: &ArrayRef, name: &str) -> Result<Option<Lists>> {
    if *array.data_type() == DataType::Null {
        return Ok(None);
    }
    let wrong = || DataFusionError::Plan(format!("`iam_actions` takes the column `{name}`, or null"));
    let lists = array.as_list_opt::<i32>().ok_or_else(wrong)?;
    let values = lists.values();
    let texts: ArrayRef = match values.as_struct_opt() {
        Some(structs) => Arc::clone(structs.column_by_name("arn").ok_or_else(wrong)?),
        None => Arc::clone(values),
    };
    Ok(Some(Lists {
        lists: lists.clone(),
        elements: Texts::new(&texts)?,
    }))
}
