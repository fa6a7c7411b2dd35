//! The account of a run, for people: counts that balance, and what to look at.

use crate::cli::output::Output;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::size::format_size;
use crate::ingest::Balance;
use crate::source::RequestCounts;

/// Problems that are told one by one.
const TOLD_PROBLEMS: usize = 10;

const PROBLEMS_QUERY: &str = "select object_key, state, error from objects \
    where state not in ('ingested', 'not-events') order by object_key";

/// The counts; every line balances.
pub(super) fn render(balance: &Balance) -> String {
    let count = |count: u64| format_count(count);
    let mut text = format!(
        "objects  {} listed = {} ingested + {} known + {} rejected",
        count(balance.listed),
        count(balance.ingested()),
        count(balance.known),
        count(balance.rejected)
    );
    if balance.foreign > 0 {
        text.push_str(&format!(" ({} not CloudTrail's)", count(balance.foreign)));
    }
    if balance.left_over > 0 {
        text.push_str(&format!(" + {} left over", count(balance.left_over)));
    }
    if balance.other_shards > 0 {
        text.push_str(&format!("; {} of other shards", count(balance.other_shards)));
    }
    text.push_str(&format!(
        "\nrecords  {} read = {} stored + {} duplicates + {} rejected\n",
        count(balance.records),
        count(balance.stored),
        count(balance.duplicates),
        count(balance.rejected_records)
    ));
    let kinds = Balance::KINDS
        .iter()
        .zip(balance.ingested_by_kind)
        .filter(|(_, objects)| *objects > 0);
    let kinds: Vec<String> = kinds
        .map(|(kind, objects)| format!("{} {}", count(objects), kind.as_str()))
        .collect();
    if !kinds.is_empty() {
        text.push_str(&format!("kinds    {}\n", kinds.join(", ")));
    }
    if balance.outside_selection > 0 {
        text.push_str(&format!(
            "left out {} outside of the selection\n",
            objects(balance.outside_selection)
        ));
    }
    let (bytes, inflated) = (format_size(balance.bytes), format_size(balance.inflated_bytes));
    text.push_str(&format!("bytes    {bytes} read, {inflated} inflated\n"));
    text
}

/// The requests to buckets; nothing without one.
pub(super) fn render_requests(requests: Option<RequestCounts>) -> String {
    requests.map_or_else(String::new, |requests| {
        format!(
            "requests {} list, {} get, {} head; {} of them repeated\n",
            format_count(requests.list),
            format_count(requests.get),
            format_count(requests.head),
            format_count(requests.repeated)
        )
    })
}

/// The requests to the bucket of the store; nothing for a folder.
pub(super) fn render_store_requests(requests: Option<RequestCounts>) -> String {
    requests.map_or_else(String::new, |requests| {
        format!(
            "store    {} list, {} get, {} head, {} put, {} delete; {} of them repeated\n",
            format_count(requests.list),
            format_count(requests.get),
            format_count(requests.head),
            format_count(requests.put),
            format_count(requests.delete),
            format_count(requests.repeated)
        )
    })
}

/// Says what is missing and where to look.
pub(super) fn warn_of_gaps(balance: &Balance, output: &mut Output) {
    for (path, reason) in &balance.unlisted {
        output.warning(&format!("`{path}`: {reason}"));
    }
    if let Some(outage) = &balance.outage {
        output.warning(&format!("stopped early: {outage}"));
    }
    note_passed_over(&balance.passed_over, output);
    for problem in balance.problems.iter().take(TOLD_PROBLEMS) {
        output.warning(&format!(
            "`{}` is {}: {}",
            problem.object_key,
            problem.state.as_str(),
            problem.reason
        ));
    }
    let untold = count_of(balance.problems.len().saturating_sub(TOLD_PROBLEMS)) + balance.more_problems;
    if untold > 0 {
        output.warning(&format!(
            "{} more with problems; `trimtrail sql \"{PROBLEMS_QUERY}\"` lists all",
            objects(untold)
        ));
    }
    if balance.foreign > 0 {
        let verb = if balance.foreign == 1 { "holds" } else { "hold" };
        output.note(&format!(
            "{} beside the logs {verb} no CloudTrail records",
            objects(balance.foreign)
        ));
    }
    if balance.rejected_records > 0 {
        output.note(
            "rejected records are kept; `trimtrail sql \"select object_key, record_index, reason from rejects\"`",
        );
    }
    warn_of_times(balance, output);
    if let Some(reason) = &balance.uncompacted {
        output.warning(&format!("small files stay as they are: {reason}"));
    }
    if balance.left_over > 0 {
        let verb = if balance.left_over == 1 { "is" } else { "are" };
        output.warning(&format!(
            "{} {verb} left; run the same command again to go on",
            objects(balance.left_over)
        ));
    }
}

/// Says which days and times are hard to believe.
fn warn_of_times(balance: &Balance, output: &mut Output) {
    if balance.without_time > 0 {
        let (events, verb) = match balance.without_time {
            1 => ("event", "has"),
            _ => ("events", "have"),
        };
        output.warning(&format!(
            "{} {events} {verb} no readable `eventTime`; `trimtrail sql \"select object_key, record_index from events \
             where event_date is null\"`",
            format_count(balance.without_time)
        ));
    }
    if let Some(first) = &balance.first_of_days_to_come {
        output.warning(&format!(
            "{} of days that are still to come, such as `{first}`; look at the clock and at who wrote it",
            objects(balance.of_days_to_come)
        ));
    }
}

/// Names folders that hold no logs.
fn note_passed_over(folders: &[String], output: &mut Output) {
    if folders.is_empty() {
        return;
    }
    let told = folders.iter().take(TOLD_PROBLEMS).map(|folder| format!("`{folder}`"));
    let more = match folders.len().saturating_sub(TOLD_PROBLEMS) {
        0 => String::new(),
        count => format!(" and {} more", format_count(count_of(count))),
    };
    output.note(&format!(
        "passed over as no CloudTrail folders: {}{more}; name one as a source to read it",
        told.collect::<Vec<_>>().join(", ")
    ));
}

fn count_of(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

/// A number of objects.
pub(super) fn objects(count: u64) -> String {
    counted(count, "object")
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::ingest::ObjectState;
    use crate::ingest::Problem;

    #[test]
    fn every_line_of_the_account_balances() {
        let balance = Balance {
            listed: 1_412,
            ingested_by_kind: [1_390, 0, 0, 10, 0],
            known: 10,
            rejected: 2,
            records: 2_000,
            stored: 1_990,
            duplicates: 6,
            rejected_records: 4,
            bytes: 3 << 20,
            inflated_bytes: 30 << 20,
            ..Balance::default()
        };
        assert_eq!(
            render(&balance),
            "objects  1,412 listed = 1,400 ingested + 10 known + 2 rejected\n\
             records  2,000 read = 1,990 stored + 6 duplicates + 4 rejected\n\
             kinds    1,390 events, 10 digest\n\
             bytes    3.0 MiB read, 30.0 MiB inflated\n"
        );
    }

    #[test]
    fn stopped_run_says_what_is_left() {
        let balance = Balance {
            listed: 5,
            left_over: 5,
            ..Balance::default()
        };
        assert!(render(&balance).starts_with("objects  5 listed = 0 ingested + 0 known + 0 rejected + 5 left over\n"));
        let (mut output, _, messages) = captured(Verbosity::Quiet);
        warn_of_gaps(&balance, &mut output);
        assert_eq!(
            messages.text(),
            "warning: 5 objects are left; run the same command again to go on\n"
        );
    }

    #[test]
    fn files_of_other_programs_are_only_counted() {
        let balance = Balance {
            foreign: 1,
            ..Balance::default()
        };
        let (mut output, _, messages) = captured(Verbosity::Normal);
        warn_of_gaps(&balance, &mut output);
        assert_eq!(
            messages.text(),
            "1 object beside the logs holds no CloudTrail records\n"
        );
    }

    #[test]
    fn problems_are_told_up_to_a_bound_and_their_names_are_made_visible() {
        let problem = |name: String| Problem {
            object_key: name,
            state: ObjectState::Corrupt,
            reason: "gzip stream ends early".to_owned(),
        };
        let problems = (0..12)
            .map(|number| problem(format!("file:///logs/{number}\u{1b}[2J.json.gz")))
            .collect();
        let balance = Balance {
            problems,
            more_problems: 3,
            ..Balance::default()
        };
        let (mut output, _, messages) = captured(Verbosity::Quiet);
        warn_of_gaps(&balance, &mut output);
        let text = messages.text();
        assert_eq!(text.matches("warning: ").count(), 11, "{text}");
        assert!(text.starts_with("warning: `file:///logs/0\\u{1b}[2J.json.gz` is corrupt: gzip stream ends early\n"));
        assert!(text.contains("5 objects more with problems"), "{text}");
    }
}
