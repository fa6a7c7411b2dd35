//! What lies beneath an error of a library: the words of a bucket, or an error of the operating system.

use std::error::Error;
use std::io;
use std::io::ErrorKind;
use std::iter::successors;

use super::whole_entry::TornEntry;
use crate::source::Fault;

/// `errno` of a failing device.
const EIO: i32 = 5;
/// What `object_store` puts before the words of a bucket, and whether a path stands between them.
const BEFORE_A_FAULT: [(&str, bool); 3] = [
    ("Generic bucket error: ", false),
    (
        "The operation lacked the necessary privileges to complete for path ",
        true,
    ),
    ("The operation lacked valid authentication credentials for path ", true),
];

/// How the backtrace begins that the log library puts behind its errors where it is asked for one.
const BACKTRACE: &str = "\n   0: ";

/// What to do about an error of the operating system while it writes.
pub(super) fn remedy_of_write(source: &io::Error) -> &'static str {
    match source.kind() {
        // EIO has no kind of its own; it is the disk that fails, whoever asks.
        _ if source.raw_os_error() == Some(EIO) => {
            "check the disk (`dmesg` may say more) and run the same command again"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "make the folder writable for this user",
        _ => "correct this and run the same command again",
    }
}

/// The first error of a kind in a chain of causes.
fn first_of<T: Error + Clone + 'static>(error: &(dyn Error + 'static)) -> Option<T> {
    let mut chain = successors(Some(error), |current: &&(dyn Error + 'static)| (*current).source());
    chain.find_map(|current| current.downcast_ref::<T>()).cloned()
}

/// What a bucket says in a chain of causes.
pub(super) fn fault(error: &(dyn Error + 'static)) -> Option<Fault> {
    first_of(error).or_else(|| fault_in(&error.to_string()))
}

/// The log entry in a folder of which something is missing, in a chain of causes.
pub(super) fn torn_entry(error: &(dyn Error + 'static)) -> Option<TornEntry> {
    if let Some(torn) = first_of(error) {
        return Some(torn);
    }
    // The log library makes one text of the chains that it gets.
    let text = error.to_string();
    let (path, reason) = text.split_once("torn log entry `")?.1.split_once("`: ")?;
    let (reason, _) = reason.split_once(BACKTRACE).unwrap_or((reason, ""));
    Some(TornEntry {
        path: path.to_owned(),
        reason: reason.to_owned(),
    })
}

/// What a bucket says in the text of an error: the log library makes one text of the chains that it gets.
fn fault_in(text: &str) -> Option<Fault> {
    let told = BEFORE_A_FAULT.iter().find_map(|(before, has_path)| {
        let (_, rest) = text.split_once(before)?;
        match has_path {
            true => Some(rest.split_once(": ")?.1),
            false => Some(rest),
        }
    })?;
    let (told, _) = told.split_once(BACKTRACE).unwrap_or((told, ""));
    Some(Fault::told(told))
}

/// The first error of the operating system in a chain of causes.
pub(super) fn system_error(error: &(dyn Error + 'static)) -> Option<io::Error> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<io::Error>() {
            if let Some(code) = found.raw_os_error() {
                return Some(io::Error::from_raw_os_error(code));
            }
            if let Some(inner) = found.get_ref() {
                cause = Some(inner);
                continue;
            }
        }
        cause = current.source();
    }
    None
}
