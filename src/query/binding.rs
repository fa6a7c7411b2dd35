//! The parameters of a statement: which it has, of what types, and their values.

use std::collections::BTreeMap;
use std::collections::HashMap;

use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::LogicalPlan;

use super::QueryError;
use super::derived;
use super::params;
use super::params::ParamText;
use super::suggest::closest;

/// Values for the parameters in `wanted`; `declared` gives the types that the statement itself does not tell.
///
/// Parameters without any type are text.
pub(super) fn bind(
    wanted: BTreeMap<String, Option<DataType>>,
    values: &[(String, ParamText)],
    declared: &BTreeMap<String, DataType>,
    now_micros: i64,
) -> Result<ParamValues, QueryError> {
    let given = given_by_name(values, &wanted)?;
    let mut scalars = HashMap::new();
    for (name, inferred) in wanted {
        let text = given
            .get(name.as_str())
            .ok_or_else(|| QueryError::MissingParameter { name: name.clone() })?;
        let data_type = inferred
            .or_else(|| declared.get(&name).cloned())
            .unwrap_or(DataType::Utf8);
        let scalar = params::value(&name, text, &data_type, now_micros)?;
        scalars.insert(name, scalar);
    }
    Ok(ParamValues::from(scalars))
}

/// Every `$name` of a plan, with its type where one of its uses tells it.
///
/// `LogicalPlan::get_parameter_types` forgets a type when a later use has none, as in `x >= $since or $since is null`.
pub(super) fn placeholders(plan: &LogicalPlan) -> Result<BTreeMap<String, Option<DataType>>, DataFusionError> {
    let mut found: BTreeMap<String, Option<DataType>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        for (name, data_type) in derived::placeholders(node) {
            let known = found.entry(name).or_default();
            *known = known.take().or(Some(data_type));
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Placeholder(placeholder) = expr {
                    let name = placeholder.id.trim_start_matches('$').to_owned();
                    let data_type = placeholder.field.as_ref().map(|field| field.data_type().clone());
                    let known = found.entry(name).or_default();
                    *known = known.take().or(data_type);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

fn given_by_name<'a>(
    values: &'a [(String, ParamText)],
    wanted: &BTreeMap<String, Option<DataType>>,
) -> Result<BTreeMap<&'a str, &'a ParamText>, QueryError> {
    let mut given = BTreeMap::new();
    for (name, text) in values {
        if !wanted.contains_key(name) {
            return Err(QueryError::UnknownParameter {
                name: name.clone(),
                hint: parameter_hint(name, wanted),
            });
        }
        if given.insert(name.as_str(), text).is_some() {
            return Err(QueryError::RepeatedParameter { name: name.clone() });
        }
    }
    Ok(given)
}

fn parameter_hint(name: &str, wanted: &BTreeMap<String, Option<DataType>>) -> String {
    let names: Vec<String> = wanted.keys().cloned().collect();
    match closest(name, &names) {
        Some(near) => format!("did you mean `${near}`?"),
        None if names.is_empty() => "it has none".to_owned(),
        None => format!(
            "it has {}",
            names
                .iter()
                .map(|name| format!("`${name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
