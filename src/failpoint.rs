//! Points of the write path at which a test lets the process die or a step fail.
//!
//! Only builds with debug assertions have them: in a release build [`pass`] does nothing and knows no names. The crate
//! `fail` is not used because its points are chosen by a cargo feature, which a release build could have by mistake.

use std::io;

/// A point, named after what has just happened; `…Put` stands before a request that others can see.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(debug_assertions, derive(Debug))]
pub(crate) enum Point {
    /// The objects are listed.
    Listed,
    /// The bytes of an object are there.
    Fetched,
    /// An object is decoded.
    Decoded,
    /// Rows are ready for a data file.
    FilePut,
    /// A data file is written, but not synced, or encoded, but not sent.
    FileWritten,
    /// A data file is synced, but perhaps not its name.
    FileSynced,
    /// A data file is durable.
    FileDurable,
    /// The ledger's files of a batch are durable.
    LedgerStaged,
    /// All is ready for the commit.
    CommitPut,
    /// The commit took effect, but nobody knows it yet.
    CommitLanded,
    /// An entry of a log is written under a name that nobody looks for.
    EntryWritten,
    /// An entry has its name, which is not synced.
    EntryNamed,
    /// All is ready for a derived table to follow `events`.
    FollowPut,
    /// A derived table follows `events`, but nobody knows it yet.
    FollowLanded,
    /// A checkpoint is complete, but has no name.
    CheckpointPut,
    /// A checkpoint is there, but nothing points to it.
    CheckpointNamed,
    /// A folder is made, but not synced into the one above.
    FolderMade,
    /// A table is made, perhaps not the last one.
    TableMade,
    /// A file with prepared batches is written under a name that nobody looks for.
    AddsWritten,
    /// A prepared batch is kept for its commit.
    AddsKept,
    /// A prepared batch is ready for its commit.
    AddsCommitPut,
    /// A prepared batch is committed; its own ledger files are still there.
    AddsCommitted,
    /// A rollup of all events is ready to take the place of the old one.
    UsagePut,
    /// It has taken its place, but nobody knows it yet.
    UsageLanded,
    /// The same, and it cannot be found out.
    UsageUnseen,
    /// The rows of small files lie in one, which is in no table yet.
    Rewritten,
    /// The one is ready to take the place of the others.
    CompactionPut,
    /// It has taken their place, but nobody knows it yet.
    CompactionLanded,
    /// The same, and it cannot be found out.
    CompactionUnseen,
    /// Old days are ready to be taken out.
    ExpiryPut,
    /// They are taken out, but nobody knows it yet.
    ExpiryLanded,
    /// The same, and it cannot be found out.
    ExpiryUnseen,
}

/// Goes on, unless a test has armed this point.
///
/// # Errors
///
/// What the armed point stands for.
#[cfg(debug_assertions)]
pub(crate) fn pass(point: Point) -> io::Result<()> {
    armed::pass(point)
}

/// Goes on.
#[cfg(not(debug_assertions))]
#[inline]
pub(crate) fn pass(_point: Point) -> io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
pub(crate) use armed::VARIABLE;
#[cfg(debug_assertions)]
pub(crate) use armed::arm;

#[cfg(debug_assertions)]
mod armed {
    use std::io;
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::Point;

    /// Environment variable that arms one point of a process: `CommitPut=abort`, `CommitPut=late`, or `FilePut=error@2` from the
    /// second time on.
    pub(crate) const VARIABLE: &str = "TRIMTRAIL_FAILPOINT";

    /// `EIO` and `ENOSPC`.
    const ERROR: i32 = 5;
    const NO_SPACE: i32 = 28;

    /// Time in which others come first.
    const DELAY: Duration = Duration::from_millis(150);

    #[derive(Clone, Copy)]
    enum Action {
        Abort,
        Fail(i32),
        Wait,
    }

    struct Armed {
        point: String,
        action: Action,
        /// Passes before it happens.
        spared: u32,
        passes: AtomicU32,
    }

    static ARMED: OnceLock<Armed> = OnceLock::new();

    /// Arms a point for the rest of the process; false when the text is no plan for one.
    pub(crate) fn arm(plan: &str) -> bool {
        let Some((point, action)) = plan.split_once('=') else {
            return false;
        };
        let (action, time) = action.split_once('@').unwrap_or((action, "1"));
        let action = match action {
            "abort" => Action::Abort,
            "error" => Action::Fail(ERROR),
            "no-space" => Action::Fail(NO_SPACE),
            "late" => Action::Wait,
            _ => return false,
        };
        let Ok(time) = time.parse::<u32>() else {
            return false;
        };
        let armed = Armed {
            point: point.to_owned(),
            action,
            spared: time.saturating_sub(1),
            passes: AtomicU32::new(0),
        };
        ARMED.set(armed).is_ok()
    }

    pub(super) fn pass(point: Point) -> io::Result<()> {
        let Some(armed) = ARMED.get().filter(|armed| armed.point == format!("{point:?}")) else {
            return Ok(());
        };
        if armed.passes.fetch_add(1, Ordering::SeqCst) < armed.spared {
            return Ok(());
        }
        match armed.action {
            Action::Abort => std::process::abort(),
            Action::Fail(code) => Err(io::Error::from_raw_os_error(code)),
            Action::Wait => {
                std::thread::sleep(DELAY);
                Ok(())
            }
        }
    }
}
