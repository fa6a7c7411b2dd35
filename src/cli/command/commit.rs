//! `commit`: prepared batches into the store.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use super::ingest::default_memory;
use super::store::open_or_stop;
use crate::cli::args::CommitArgs;
use crate::cli::deposit::ENDING;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::ingest::AddsBalance;
use crate::ingest::AddsCommit;
use crate::ingest::Rebuild;
use crate::store::PreparedBatch;
use crate::store::Store;

/// No run prepares as much; a larger file is not ours.
const LARGEST_BYTES: u64 = 256 << 20;

/// Commits what `ingest --no-commit` prepared.
///
/// # Errors
/// When the store, or a path that is named, cannot be used. A batch that cannot be committed is no error: it is named, and
/// the status is [`ExitStatus::Incomplete`], as it is when days of its records have expired.
pub fn commit(args: &CommitArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let location = args.location.location()?;
    let files = files(&args.adds_from, output)?;
    let runtime = Runtime::start(settings.threads)?;
    let now = settings.now.as_microsecond();
    let stop = StopFlag::on_signal()?;
    // Only what is there can have been prepared for it.
    let Some(store) = open_or_stop(&location, Some(now), (&runtime, &stop))? else {
        return Ok(stop.stopped());
    };
    let mut balance = AddsBalance::default();
    let files = (!args.adds_from.is_empty()).then_some(files.as_slice());
    let ended = commit_all(&store, files, (&runtime, &stop), settings, &mut balance);
    match ended {
        // Nobody knows whether the last batch was committed: the next run finds out.
        Err(_) if store.has_given_up() => {}
        ended => ended?,
    }
    tell(&balance, output)?;
    output.note(&format!("store: {}", location.display()));
    Ok(match stop.status() {
        Some(status) => status,
        None if balance.problems.is_empty() && balance.expired == 0 => ExitStatus::Done,
        None => ExitStatus::Incomplete,
    })
}

/// Commits what lies in files, or what waits in the store when none is named, and what the batches leave to be done; ends
/// between two batches when it is asked to stop.
fn commit_all(
    store: &Store,
    files: Option<&[PathBuf]>,
    (runtime, stop): (&Runtime, &StopFlag),
    settings: &Settings,
    balance: &mut AddsBalance,
) -> Result<(), CliError> {
    let now = settings.now.as_microsecond();
    let mut commit = AddsCommit::new(store, runtime.handle(), now, stop.raised());
    if files.is_none() {
        commit_waiting(store, runtime, &mut commit, balance)?;
    }
    for path in files.unwrap_or_default() {
        let Some(text) = read_or_stop(path, (runtime, stop))? else {
            break;
        };
        let name = path.display().to_string();
        if let Some(batches) = parsed(&name, &text, balance) {
            commit.commit((&name, &batches), balance)?;
        }
    }
    runtime.run(async { Ok(store.repair(now).await?) })?;
    let rebuild = Rebuild {
        store,
        runtime: runtime.handle(),
        threads: settings.threads.get(),
        memory_bytes: default_memory(),
        now,
        stop: Some(stop.raised()),
    };
    rebuild.run_if_behind()?;
    Ok(())
}

/// Prints the account of a commit, and what to look at.
fn tell(balance: &AddsBalance, output: &mut Output) -> Result<(), CliError> {
    output.print(&render(balance))?;
    for (name, reason) in &balance.problems {
        output.warning(&format!("`{name}`: {reason}"));
    }
    if balance.expired > 0 {
        output.warning(&format!(
            "the days of {} expired while the batches waited; `trimtrail sql \"select object_key, reason from rejects\"` \
             says of which objects",
            counted(balance.expired, "record")
        ));
    }
    Ok(())
}

/// Commits what waits in the store, and removes what was committed whole.
fn commit_waiting(
    store: &Store,
    runtime: &Runtime,
    commit: &mut AddsCommit<'_>,
    balance: &mut AddsBalance,
) -> Result<(), CliError> {
    for name in runtime.run(async { Ok(store.waiting().await?) })? {
        if commit.is_stopped() {
            break;
        }
        let Some(text) = runtime.run(async { Ok(store.read_waiting(&name).await?) })? else {
            continue;
        };
        let is_done = match parsed(&name, &text, balance) {
            Some(batches) => commit.commit((&name, &batches), balance)?,
            None => false,
        };
        if is_done {
            runtime.run(async { Ok(store.remove_waiting(&name).await?) })?;
        }
    }
    Ok(())
}

/// The batches of one file; `None` when it holds something else, which the account says.
fn parsed(name: &str, text: &str, balance: &mut AddsBalance) -> Option<Vec<PreparedBatch>> {
    match PreparedBatch::parse(text) {
        Ok(batches) => Some(batches),
        Err(reason) => {
            let reason = format!("cannot be used: {reason}; the next `trimtrail ingest` reads its objects");
            balance.problems.push((name.to_owned(), reason));
            None
        }
    }
}

/// Files that are named, and those of folders that are named, in order. All of them can be opened: nothing of one is committed
/// before another turns out to be missing.
fn files(paths: &[PathBuf], output: &mut Output) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        if path.to_str().is_some_and(|path| path.contains("://")) {
            return Err(CliError::Usage {
                message: format!(
                    "`--adds-from` takes files and folders, and `{}` is none",
                    path.display()
                ),
                hint: Some("copy the batches first, for example with `aws s3 cp`".to_owned()),
            });
        }
        let failed = |cause| CliError::Read {
            path: path.clone(),
            cause,
        };
        if !path.is_dir() {
            // A pipe is opened once only.
            if path.metadata().map_err(failed)?.is_file() {
                File::open(path).map_err(failed)?;
            }
            files.push(path.clone());
            continue;
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().ends_with(ENDING) {
                found.push(entry.path());
            }
        }
        if found.is_empty() {
            output.warning(&format!("`{}` holds no batches (`*{ENDING}`)", path.display()));
        }
        found.sort_unstable();
        files.extend(found);
    }
    Ok(files)
}

/// Reads a file; `None` when the run is asked to stop before. Nobody may ever write into a pipe.
fn read_or_stop(path: &Path, (runtime, stop): (&Runtime, &StopFlag)) -> Result<Option<String>, CliError> {
    let owned = path.to_owned();
    let reading = runtime.handle().spawn_blocking(move || read(&owned));
    let text = runtime.run(async { Ok(stop.or_stop(reading).await) })?;
    let text = text.map(|text| text.map_err(io::Error::other).flatten());
    text.transpose().map_err(|cause| CliError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(LARGEST_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST_BYTES) {
        return Ok(text);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, "no run prepares as much"))
}

/// The counts; every line balances.
fn render(balance: &AddsBalance) -> String {
    let unusable = balance.batches - balance.committed - balance.known_batches;
    let mut text = format!(
        "batches  {} found = {} committed + {} known",
        format_count(balance.batches),
        format_count(balance.committed),
        format_count(balance.known_batches)
    );
    if unusable > 0 {
        text.push_str(&format!(" + {} unusable", format_count(unusable)));
    }
    text.push_str(&format!(
        "\nobjects  {} prepared = {} added + {} known\nrecords  {} read = {} stored + {} duplicates + {} rejected\n",
        format_count(balance.objects),
        format_count(balance.objects - balance.known_objects),
        format_count(balance.known_objects),
        format_count(balance.records),
        format_count(balance.stored),
        format_count(balance.duplicates),
        format_count(balance.rejected)
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_account_balances() {
        let balance = AddsBalance {
            batches: 4,
            committed: 2,
            known_batches: 1,
            objects: 1_010,
            known_objects: 10,
            records: 50,
            stored: 45,
            duplicates: 3,
            rejected: 2,
            expired: 0,
            problems: Vec::new(),
        };
        assert_eq!(
            render(&balance),
            "batches  4 found = 2 committed + 1 known + 1 unusable\n\
             objects  1,010 prepared = 1,000 added + 10 known\n\
             records  50 read = 45 stored + 3 duplicates + 2 rejected\n"
        );
    }
}
