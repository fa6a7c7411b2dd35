//! The allow-list: the file of permissions that are kept on purpose.

use std::fs;
use std::path::Path;

use super::error::CliError;
use super::output::Output;
use crate::policy::Decision;
use crate::policy::Keep;
use crate::policy::KeepList;
use crate::policy::ListError;

/// Reads the file; without one nothing is kept.
pub(super) fn read(path: Option<&Path>) -> Result<KeepList, CliError> {
    read_list(path, KeepList::read)
}

/// Reads a list of exceptions; without a file it is empty.
pub(super) fn read_list<L: Default>(
    path: Option<&Path>,
    read: impl Fn(&str) -> Result<L, ListError>,
) -> Result<L, CliError> {
    let Some(path) = path else {
        return Ok(L::default());
    };
    let path = path.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) => return Err(CliError::Read { path, cause }),
    };
    read(&text).map_err(|cause| CliError::Keep { path, cause })
}

/// Says which entries no longer count.
pub(super) fn tell_expired(list: &KeepList, now: i64, output: &mut Output) {
    for entry in list.entries().iter().filter(|entry| entry.pardon.is_expired(now)) {
        output.warning(&format!(
            "{} expired on {} and no longer counts: {}",
            entry.place(),
            entry.pardon.expires,
            entry.pardon.reason
        ));
    }
}

/// Says what reviews decided and nobody has done yet.
pub(super) fn tell_open(open: &[&Decision], output: &mut Output) {
    for decision in open {
        let (arn, note) = (&decision.principal_arn, decision.note());
        output.note(&format!("decided and still to be done: {arn}: {note}"));
    }
}

/// Says which entries are about nothing.
pub(super) fn tell_idle(idle: &[&Keep], output: &mut Output) {
    for entry in idle {
        output.warning(&format!(
            "{} matches no permission of any principal: {} on {}",
            entry.place(),
            entry.actions.join(", "),
            entry.principals.join(", ")
        ));
    }
}
