//! SQL functions beyond the engine's own: JSON access, the names that saved Athena and DuckDB queries use, and what the
//! compatibility views need.

mod about_facts;
mod action_rows;
mod boolean_text;
mod dates;
mod element;
mod iam_actions;
mod json_path;
mod parse_times;
mod record;
mod resources;
mod text;
mod time_parts;
mod time_text;
mod times;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use crate::iam::Facts;
use about_facts::AboutFacts;
use about_facts::Told;

/// Adds all functions to a session; `facts` are the embedded ones when absent. They take the place of the engine's of the
/// same name or alias, so they come last.
pub(super) fn register(context: &mut SessionContext, facts: Option<&'static Facts>) -> Result<()> {
    datafusion_functions_json::register_all(context)?;
    for function in own(context, facts)? {
        context.register_udf(Arc::new(function))?;
    }
    context.register_expr_planner(Arc::new(boolean_text::BooleanText))
}

/// The functions of this module; some call those that `registry` knows.
fn own(registry: &dyn FunctionRegistry, facts: Option<&'static Facts>) -> Result<Vec<ScalarUDF>> {
    let json_as_text = registry.udf("json_as_text")?;
    let json_get_json = registry.udf("json_get_json")?;
    let array_element = registry.udf("array_element")?;
    let own = [
        ScalarUDF::from(json_path::JsonPathFunction::new(
            "json_extract_scalar",
            Arc::clone(&json_as_text),
        )),
        ScalarUDF::from(json_path::JsonPathFunction::new(
            "json_extract_string",
            Arc::clone(&json_as_text),
        )),
        ScalarUDF::from(json_path::JsonPathFunction::new("json_extract", json_get_json)),
        ScalarUDF::from(element::ElementAt::new(json_as_text, array_element)),
        ScalarUDF::from(times::Iso8601Text::new()),
        ScalarUDF::from(times::FromIso8601::new()),
        ScalarUDF::from(time_text::TimeText::new(time_text::Format::DuckDb)),
        ScalarUDF::from(time_text::TimeText::new(time_text::Format::MySql)),
        ScalarUDF::from(time_text::TimeText::new(time_text::Format::PostgreSql)),
        ScalarUDF::from(dates::DateAdd::new()),
        ScalarUDF::from(parse_times::ParseTime::new(parse_times::Letters::Joda)),
        ScalarUDF::from(parse_times::ParseTime::new(parse_times::Letters::MySql)),
        ScalarUDF::from(record::RenderRecord::new()),
        ScalarUDF::from(resources::LowerCaseResources::new()),
        ScalarUDF::from(iam_actions::IamActions::new(facts)),
        ScalarUDF::from(AboutFacts::new(Told::Date, facts)),
        ScalarUDF::from(AboutFacts::new(Told::Version, facts)),
    ];
    Ok(own.into_iter().chain(time_parts::all()).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use datafusion::execution::SessionState;

    use super::*;

    /// Fails where a name or alias leads to another function than in a session that was just made.
    pub(in crate::query) fn assert_own_functions_win(state: &SessionState) {
        let mut fresh = SessionContext::new();
        register(&mut fresh, None).unwrap();
        let by_name = |state: &SessionState| -> BTreeMap<String, String> {
            let functions = state.scalar_functions().iter();
            functions
                .map(|(name, function)| (name.clone(), format!("{function:?}")))
                .collect()
        };
        let found = by_name(state);
        assert_eq!(found, by_name(&fresh.state()));
        for function in own(&fresh, None).unwrap() {
            for name in function.aliases().iter().map(String::as_str).chain([function.name()]) {
                assert_eq!(found.get(name), Some(&format!("{function:?}")), "`{name}`");
            }
        }
    }
}
