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
mod times;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use crate::iam::Facts;
use about_facts::AboutFacts;
use about_facts::Told;

/// Adds all functions to a session; `facts` are the embedded ones when absent.
pub(super) fn register(context: &mut SessionContext, facts: Option<&'static Facts>) -> Result<()> {
    datafusion_functions_json::register_all(context)?;
    let json_as_text = context.udf("json_as_text")?;
    let json_get_json = context.udf("json_get_json")?;
    let array_element = context.udf("array_element")?;
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
        ScalarUDF::from(dates::Strftime::new()),
        ScalarUDF::from(dates::DateAdd::new()),
        ScalarUDF::from(parse_times::ParseTime::new(parse_times::Letters::Joda)),
        ScalarUDF::from(parse_times::ParseTime::new(parse_times::Letters::MySql)),
        ScalarUDF::from(record::RenderRecord::new()),
        ScalarUDF::from(resources::LowerCaseResources::new()),
        ScalarUDF::from(iam_actions::IamActions::new(facts)),
        ScalarUDF::from(AboutFacts::new(Told::Date, facts)),
        ScalarUDF::from(AboutFacts::new(Told::Version, facts)),
    ];
    for function in own.into_iter().chain(time_parts::all()) {
        context.register_udf(Arc::new(function))?;
    }
    context.register_expr_planner(Arc::new(boolean_text::BooleanText))
}
