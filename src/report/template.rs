//! Filling in templates.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::ReportError;

/// The text of a template with these values. The ending of the name decides how values are escaped.
pub(super) fn rendered(name: &str, template: &str, values: &impl Serialize) -> Result<String, ReportError> {
    let text = Environment::new().render_named_str(name, template, Serde(values));
    text.map_err(ReportError::Page)
}
