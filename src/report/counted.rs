//! Counts of resources, which end somewhere.

use crate::policy::COUNTED_RESOURCES;

/// The number, or that there are more than are counted.
pub(super) fn counted(resources: u64) -> String {
    match resources > COUNTED_RESOURCES {
        true => format!("more than {COUNTED_RESOURCES}"),
        false => resources.to_string(),
    }
}
