//! The allow-list: the file of permissions that are kept on purpose.

use std::fs;
use std::path::Path;

use super::error::CliError;
use super::output::Output;
use crate::policy::Keep;
use crate::policy::KeepList;

/// Reads the file; without one nothing is kept.
pub(super) fn read(path: Option<&Path>) -> Result<KeepList, CliError> {
    let Some(path) = path else {
        return Ok(KeepList::default());
    };
    let path = path.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) => return Err(CliError::Read { path, cause }),
    };
    KeepList::read(&text).map_err(|cause| CliError::Keep { path, cause })
}

/// Says which entries no longer count.
pub(super) fn tell_expired(list: &KeepList, now: i64, output: &mut Output) {
    for entry in list.entries().iter().filter(|entry| entry.is_expired(now)) {
        output.warning(&format!(
            "entry {} of the allow-list expired on {} and no longer counts: {}",
            entry.number, entry.expires, entry.reason
        ));
    }
}

/// Says which entries are about nothing.
pub(super) fn tell_idle(idle: &[&Keep], output: &mut Output) {
    for entry in idle {
        output.warning(&format!(
            "entry {} of the allow-list matches no permission of any principal: {} on {}",
            entry.number,
            entry.actions.join(", "),
            entry.principals.join(", ")
        ));
    }
}
