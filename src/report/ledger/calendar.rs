//! One character per day, one line per account and region, one block per month.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Look;
use crate::analysis::GapKind;
use crate::analysis::RegionCoverage;
use crate::report::escape;
use crate::report::layout::display_width;

/// Gaps that are named below the calendar.
const TOLD_GAPS: usize = 30;
/// Days of the month above the columns.
const MARKED_DAYS: [i8; 5] = [1, 8, 15, 22, 29];

/// The calendar, what its characters mean, and the days on which something is missing. Rows are days.
pub fn calendar(regions: &[RegionCoverage]) -> String {
    let mut text = String::new();
    for (year, month) in months(regions) {
        push(&mut text, &block(regions, year, month));
        text.push('\n');
    }
    let looks = Look::ALL.into_iter().filter(|look| is_shown(regions, *look));
    for look in looks {
        push(&mut text, &format!("{} {}", look.character(), look.meaning()));
    }
    push_losses(regions, &mut text);
    text
}

fn months(regions: &[RegionCoverage]) -> Vec<(i16, i8)> {
    let rows = regions.iter().flat_map(|region| &region.rows);
    let mut months: Vec<(i16, i8)> = rows
        .map(|row| date(row.start))
        .map(|date| (date.year(), date.month()))
        .collect();
    months.sort_unstable();
    months.dedup();
    months
}

fn is_shown(regions: &[RegionCoverage], look: Look) -> bool {
    let mut rows = regions.iter().flat_map(|region| &region.rows);
    rows.any(|row| Look::of(row) == look)
}

fn block(regions: &[RegionCoverage], year: i16, month: i8) -> String {
    let name = |region: &RegionCoverage| {
        let (account, name) = (escape::visible(&region.account_id), escape::visible(&region.region));
        format!("{account}  {name}")
    };
    let width = regions
        .iter()
        .map(|region| display_width(&name(region)))
        .max()
        .unwrap_or_default();
    let mut ruler = String::new();
    for day in MARKED_DAYS {
        let column = usize::from(day.unsigned_abs()) - 1;
        ruler.push_str(&" ".repeat(column.saturating_sub(ruler.len())));
        ruler.push_str(&day.to_string());
    }
    let title = format!("{year:04}-{month:02}");
    let mut lines = vec![format!("{}  {ruler}", padded(&title, width))];
    for region in regions {
        let mut days = [' '; 31];
        for row in &region.rows {
            let date = date(row.start);
            let column = usize::from(date.day().unsigned_abs()).saturating_sub(1);
            if (date.year(), date.month()) == (year, month)
                && let Some(day) = days.get_mut(column)
            {
                *day = Look::of(row).character();
            }
        }
        let days: String = days.iter().collect();
        lines.push(format!("{}  {}", padded(&name(region), width), days.trim_end()));
    }
    lines.join("\n")
}

/// Which account and region lack something, on which days, and why.
fn push_losses(regions: &[RegionCoverage], text: &mut String) {
    let mut losses: BTreeMap<(usize, &str), Vec<(Date, GapKind)>> = BTreeMap::new();
    for (position, region) in regions.iter().enumerate() {
        for row in &region.rows {
            for gap in row.gaps.iter().filter(|gap| gap.kind.is_loss()) {
                let days = losses.entry((position, &gap.detail)).or_default();
                days.push((date(row.start), gap.kind));
            }
        }
    }
    let mut lines: Vec<(Date, usize, String)> = Vec::new();
    for ((position, detail), days) in losses {
        let (Some((first, kind)), Some((last, _)), Some(region)) = (days.first(), days.last(), regions.get(position))
        else {
            continue;
        };
        let span = match first == last {
            true => first.to_string(),
            false => format!("{first} to {last}"),
        };
        let line = format!(
            "{span}  {}  {}  {}: {}",
            escape::visible(&region.account_id),
            escape::visible(&region.region),
            kind.name(),
            escape::visible(detail),
        );
        lines.push((*first, position, line));
    }
    lines.sort();
    if !lines.is_empty() {
        text.push('\n');
    }
    for (.., line) in lines.iter().take(TOLD_GAPS) {
        push(text, line);
    }
    if lines.len() > TOLD_GAPS {
        push(
            text,
            &format!("and {} more; `--output table` shows all", lines.len() - TOLD_GAPS),
        );
    }
}

fn date(micros: i64) -> Date {
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    time.to_zoned(TimeZone::UTC).date()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

fn push(text: &mut String, line: &str) {
    let written = writeln!(text, "{line}");
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}
