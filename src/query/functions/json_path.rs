//! `json_extract_scalar(json, path)` and `json_extract(json, path)`, as in Athena, Trino and DuckDB.
//!
//! The path is `$` followed by `.key`, `["key"]` and `[index]` steps. The work is done by the JSON functions of the engine,
//! which take the steps as separate arguments.

use std::sync::Arc;

use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::FieldRef;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

/// A JSON function that takes a path text where `inner` takes the steps one by one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct JsonPathFunction {
    name: &'static str,
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl JsonPathFunction {
    /// `inner` takes JSON text and one argument per step, and gives text.
    pub(super) fn new(name: &'static str, inner: Arc<ScalarUDF>) -> Self {
        Self {
            name,
            inner,
            signature: Signature::string(2, Volatility::Immutable),
        }
    }

    fn steps(&self, args: &ScalarFunctionArgs) -> Result<Vec<ScalarValue>> {
        let path = match args.args.get(1) {
            Some(ColumnarValue::Scalar(scalar)) => scalar.try_as_str().flatten(),
            Some(ColumnarValue::Array(_)) | None => None,
        };
        let bad = |reason: &str| DataFusionError::Execution(format!("`{}`: {reason}", self.name));
        let path = path.ok_or_else(|| bad("the path must be a text literal such as '$.bucketName'"))?;
        parse_path(path).ok_or_else(|| {
            bad(&format!(
                "cannot read the path `{path}`; write `$.key`, `$[\"key\"]` or `$[0]` steps"
            ))
        })
    }
}

impl ScalarUDFImpl for JsonPathFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let steps = self.steps(&args)?;
        let Some(json) = args.args.first() else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None)));
        };
        let step_fields = steps
            .iter()
            .map(|step| Arc::new(Field::new("step", step.data_type(), true)));
        let arg_fields: Vec<FieldRef> = args
            .arg_fields
            .first()
            .cloned()
            .into_iter()
            .chain(step_fields)
            .collect();
        let step_values = steps.iter().map(|step| ColumnarValue::Scalar(step.clone()));
        let values = std::iter::once(json.clone()).chain(step_values).collect();
        self.inner.invoke_with_args(ScalarFunctionArgs {
            args: values,
            arg_fields,
            ..args
        })
    }
}

/// The steps of a path: text for a key, a number for an index.
fn parse_path(path: &str) -> Option<Vec<ScalarValue>> {
    let mut rest = path.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after_dot) = rest.strip_prefix('.') {
            let end = after_dot.find(['.', '[']).unwrap_or(after_dot.len());
            let (key, after_key) = after_dot.split_at_checked(end)?;
            if key.is_empty() {
                return None;
            }
            steps.push(ScalarValue::Utf8(Some(key.trim_matches('"').to_owned())));
            rest = after_key;
        } else {
            let (step, after_bracket) = bracket_step(rest)?;
            steps.push(step);
            rest = after_bracket;
        }
    }
    Some(steps)
}

fn bracket_step(text: &str) -> Option<(ScalarValue, &str)> {
    let inside = text.strip_prefix('[')?;
    for quote in ['"', '\''] {
        if let Some(quoted) = inside.strip_prefix(quote) {
            let (key, after_quote) = quoted.split_once(quote)?;
            return Some((ScalarValue::Utf8(Some(key.to_owned())), after_quote.strip_prefix(']')?));
        }
    }
    let (index, after_bracket) = inside.split_once(']')?;
    Some((ScalarValue::Int64(Some(index.trim().parse().ok()?)), after_bracket))
}

#[cfg(test)]
mod tests {
    use datafusion::common::ScalarValue;

    use super::parse_path;

    fn key(text: &str) -> ScalarValue {
        ScalarValue::Utf8(Some(text.to_owned()))
    }

    #[test]
    fn every_kind_of_step_is_read() {
        let steps = parse_path("$.a[\"b.c\"]['d'][3].\"e\"").unwrap();
        assert_eq!(
            steps,
            [key("a"), key("b.c"), key("d"), ScalarValue::Int64(Some(3)), key("e")]
        );
    }

    #[test]
    fn the_root_has_no_steps() {
        assert_eq!(parse_path("$"), Some(Vec::new()));
    }

    #[test]
    fn broken_paths_are_refused() {
        for path in ["", "a", "$a", "$.", "$..a", "$[", "$[x]", "$[\"a]", "$['a'", "$.a[*]"] {
            assert_eq!(parse_path(path), None, "{path}");
        }
    }
}
