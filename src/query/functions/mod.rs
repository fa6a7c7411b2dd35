//! SQL functions beyond the engine's own: JSON access and the names that saved Athena queries use.

use datafusion::common::Result;
use datafusion::prelude::SessionContext;

/// Adds all functions to a session.
pub(super) fn register(context: &mut SessionContext) -> Result<()> {
    datafusion_functions_json::register_all(context)?;
    Ok(())
}
