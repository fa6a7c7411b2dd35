//! The calendar as SVG: one line per account and region, days from left to right.

use jiff::Timestamp;
use serde::Serialize;

use super::Look;
use crate::analysis::CoverageRow;
use crate::analysis::RegionCoverage;
use crate::report::ReportError;
use crate::report::escape;
use crate::report::template::rendered;

/// The name decides that values are escaped.
const NAME: &str = "coverage.xml";
const TEMPLATE: &str = include_str!("coverage.svg");
const LEFT: usize = 230;
const LINE: usize = 18;
const TOP: usize = 30;
/// Width of the days together.
const ROOM: usize = 720;
/// Least distance of two days that are written above.
const LABEL_ROOM: usize = 90;

#[derive(Serialize)]
struct Picture {
    width: usize,
    height: usize,
    middle: usize,
    lines: Vec<Line>,
    labels: Vec<Label>,
    legend: Vec<LegendEntry>,
    span: String,
}

#[derive(Serialize)]
struct Line {
    y: usize,
    account: String,
    region: String,
    cells: Vec<Cell>,
}

/// Days in a row of which the same is said.
#[derive(Serialize)]
struct Cell {
    class: &'static str,
    x: usize,
    width: usize,
    title: String,
}

#[derive(Serialize)]
struct Label {
    x: usize,
    text: String,
}

#[derive(Serialize)]
struct LegendEntry {
    class: &'static str,
    meaning: &'static str,
    y: usize,
}

/// The picture as an SVG document.
///
/// # Errors
/// When the template cannot be filled in.
pub fn picture(regions: &[RegionCoverage]) -> Result<String, ReportError> {
    let days = regions
        .iter()
        .map(|region| region.rows.len())
        .max()
        .unwrap_or_default()
        .max(1);
    let lines: Vec<Line> = regions
        .iter()
        .enumerate()
        .map(|(position, region)| Line {
            y: TOP + position * LINE,
            account: escape::visible(&region.account_id).into_owned(),
            region: escape::visible(&region.region).into_owned(),
            cells: cells(&region.rows, days),
        })
        .collect();
    let bottom = TOP + lines.len() * LINE;
    let legend = Look::ALL.into_iter().enumerate().map(|(position, look)| LegendEntry {
        class: look.name(),
        meaning: look.meaning(),
        y: bottom + 12 + position * LINE,
    });
    let legend: Vec<LegendEntry> = legend.collect();
    let rows = regions.first().map(|region| region.rows.as_slice()).unwrap_or_default();
    let picture = Picture {
        width: LEFT + ROOM + 10,
        height: bottom + 20 + legend.len() * LINE,
        middle: LINE - 5,
        labels: labels(rows, days),
        span: match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => format!("{} to {}", day(first), day(last)),
            _ => "no days".to_owned(),
        },
        lines,
        legend,
    };
    rendered(NAME, TEMPLATE, &picture)
}

fn cells(rows: &[CoverageRow], days: usize) -> Vec<Cell> {
    let said = |row: &CoverageRow| -> (Look, Vec<&'static str>) {
        (Look::of(row), row.gaps.iter().map(|gap| gap.kind.name()).collect())
    };
    let mut cells = Vec::new();
    let mut position = 0;
    for run in rows.chunk_by(|left, right| said(left) == said(right)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let (look, reasons) = said(first);
        let (start, end) = (x(position, days), x(position + run.len(), days));
        position += run.len();
        let span = match run.len() {
            1 => day(first),
            _ => format!("{} to {}", day(first), day(last)),
        };
        let why = if reasons.is_empty() {
            String::new()
        } else {
            format!(": {}", reasons.join(", "))
        };
        cells.push(Cell {
            class: look.name(),
            x: start,
            width: end - start,
            title: format!("{span}, {}{why}", look.name()),
        });
    }
    cells
}

fn labels(rows: &[CoverageRow], days: usize) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        let x = x(position, days);
        if labels.last().is_none_or(|last| x >= last.x + LABEL_ROOM) && x + LABEL_ROOM <= LEFT + ROOM + 20 {
            labels.push(Label { x, text: day(row) });
        }
    }
    labels
}

fn x(position: usize, days: usize) -> usize {
    LEFT + position * ROOM / days
}

fn day(row: &CoverageRow) -> String {
    let time = Timestamp::from_microsecond(row.start).unwrap_or_default();
    time.strftime("%Y-%m-%d").to_string()
}
