//! The machine: memory, threads, open files and disks.

use std::fs;
use std::path::Path;

use super::check::Check;
use crate::cli::settings::Settings;
use crate::cli::size::format_count;
use crate::cli::size::format_size;

/// Requests under way, files of the store and a margin.
const WANTED_FILES: u64 = 1_024;
/// Space that large queries spill into.
const WANTED_TEMP_BYTES: u64 = 1 << 30;

/// Looks at the machine; what it does not tell is left out.
pub(super) fn checks(memory: u64, settings: &Settings) -> Vec<Check> {
    let temp = std::env::temp_dir();
    let mut checks = vec![temp_check(&temp)];
    checks.extend(space_check("temp space", &temp, WANTED_TEMP_BYTES));
    checks.extend(memory_check(memory));
    checks.push(Check::ok("threads", "machine", settings.threads.to_string()));
    checks.extend(files_check());
    checks
}

/// Free space of the disk that holds a folder, or will.
pub(super) fn space_check(name: &'static str, folder: &Path, wanted: u64) -> Option<Check> {
    let existing = folder.ancestors().find(|ancestor| ancestor.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let (subject, found) = (folder.display().to_string(), format!("{} free", format_size(free)));
    let remedy = format!("free some space: {} are wanted", format_size(wanted));
    Some(match free {
        0 => Check::failure(name, &subject, found, &remedy),
        few if few < wanted => Check::warning(name, &subject, found, &remedy),
        _ => Check::ok(name, &subject, found),
    })
}

fn temp_check(folder: &Path) -> Check {
    let subject = folder.display().to_string();
    match tempfile::tempfile_in(folder) {
        Ok(_) => Check::ok("temp writable", &subject, "yes"),
        Err(error) => Check::warning(
            "temp writable",
            &subject,
            error.to_string(),
            "mount a writable folder there or set TMPDIR; queries larger than their memory spill into it",
        ),
    }
}

fn memory_check(wanted: u64) -> Option<Check> {
    let free = available_memory()?;
    let found = format!("{} available, `--memory` is {}", format_size(free), format_size(wanted));
    Some(if free < wanted {
        let remedy = "give the machine or container more memory, or lower `--memory`";
        Check::warning("memory", "machine", found, remedy)
    } else {
        Check::ok("memory", "machine", found)
    })
}

/// What the system can give, within the limit of the container.
fn available_memory() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok();
    let system = system.and_then(|text| meminfo_available(&text));
    let limits = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let limits = limits.iter().filter_map(|path| fs::read_to_string(path).ok());
    // No number means no limit.
    let limits = limits.filter_map(|text| text.trim().parse::<u64>().ok());
    limits.chain(system).min()
}

fn meminfo_available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

fn files_check() -> Option<Check> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let most = open_files_limit(&limits)?;
    let found = format!("at most {}", format_count(most));
    Some(if most < WANTED_FILES {
        let remedy = "raise the limit (`ulimit -n 4096`): files of the store and connections may be more";
        Check::warning("open files", "machine", found, remedy)
    } else {
        Check::ok("open files", "machine", found)
    })
}

fn open_files_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        soft => soft.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_what_the_system_says() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(open_files_limit(limits), Some(1_024));
        assert_eq!(
            open_files_limit("Max open files unlimited unlimited files"),
            Some(u64::MAX)
        );
        assert_eq!(
            meminfo_available("MemTotal: 8 kB\nMemAvailable:    4096 kB\n"),
            Some(4 << 20)
        );
        assert_eq!(meminfo_available("MemTotal: 8 kB\n"), None);
    }

    #[test]
    fn folder_that_is_not_made_yet_is_judged_by_the_disk_that_will_hold_it() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("a/b");
        let enough = space_check("store space", &missing, 1).unwrap();
        assert_eq!(enough.status, super::super::check::Status::Ok, "{enough:?}");
        let much = space_check("store space", &missing, u64::MAX).unwrap();
        assert_eq!(much.status, super::super::check::Status::Warning, "{much:?}");
    }
}
