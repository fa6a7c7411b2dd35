//! The bundle as a workbook: what it is, how the controls stand, an index of the tables, and a sheet for each.

use std::io::Write;

use super::BundleRecord;
use super::ExhibitRecord;
use crate::report::CellValue;
use crate::report::ReportError;
use crate::report::Sheet;
use crate::report::SheetKind;
use crate::report::SheetNames;
use crate::report::SheetRoom;
use crate::report::Workbook;
use crate::report::counted::format_count;

/// Its name in a bundle.
pub const WORKBOOK_FILE: &str = "workbook.xlsx";

const ABOUT: &str = "About";
const CONTROLS: &str = "Controls";
const TABLES: &str = "Tables";
/// Exhibits that come first: the others rest on them.
const FIRST: [&str; 2] = ["coverage", "integrity"];

/// Rows of one sheet at most, and what all sheets may take together: a workbook is kept in memory as a whole, and for all rows there are
/// the other formats.
const SHEET_ROWS: u32 = 50_000;
const ALL_SHEETS: SheetRoom = SheetRoom {
    rows: 200_000,
    bytes: 192 << 20,
};
/// One sheet takes at most this part of what is left, so that none leaves nothing to those after it.
const PART: u32 = 4;

/// Room that the sheets of a workbook share.
#[derive(Debug, Clone, Copy)]
pub struct WorkbookRoom {
    left: SheetRoom,
}

impl Default for WorkbookRoom {
    fn default() -> Self {
        Self { left: ALL_SHEETS }
    }
}

impl WorkbookRoom {
    /// What the next sheet may take.
    pub fn of_next(self) -> SheetRoom {
        SheetRoom {
            rows: (self.left.rows / PART).min(SHEET_ROWS),
            bytes: self.left.bytes / u64::from(PART),
        }
    }

    /// Takes what a sheet took from what is left.
    pub fn take(&mut self, taken: SheetRoom) {
        self.left = SheetRoom {
            rows: self.left.rows.saturating_sub(taken.rows),
            bytes: self.left.bytes.saturating_sub(taken.bytes),
        };
    }
}

/// Names for the sheets of exhibits.
pub fn exhibit_sheets() -> SheetNames {
    let mut names = SheetNames::new();
    for own in [ABOUT, CONTROLS, TABLES] {
        names.take(own);
    }
    names
}

/// Writes the workbook of a bundle; the sheets are those of the exhibits, in the order of the record, with their names.
///
/// # Errors
/// When the target takes no more bytes.
pub fn bundle_workbook(
    record: &BundleRecord,
    sheets: Vec<(String, Sheet)>,
    out: impl Write + Send,
) -> Result<(), ReportError> {
    let title = format!("Evidence of AWS CloudTrail logs, {}", record.period.text);
    let mut workbook = Workbook::new(&title, record.made_at_second());
    workbook.add(about(record)?);
    workbook.add(controls(record, &sheets)?);
    let mut all: Vec<(&ExhibitRecord, String, Sheet)> = record
        .exhibits
        .iter()
        .zip(sheets)
        .map(|(exhibit, (name, sheet))| (exhibit, name, sheet))
        .collect();
    // The sort keeps the order of the others.
    all.sort_by_key(|(exhibit, _, _)| {
        FIRST
            .iter()
            .position(|first| *first == exhibit.id)
            .unwrap_or(FIRST.len())
    });
    workbook.add(tables(&all)?);
    for (_, _, sheet) in all {
        workbook.add(sheet);
    }
    workbook.write(out)
}

fn about(record: &BundleRecord) -> Result<Sheet, ReportError> {
    let mut sheet = Sheet::new(ABOUT, &[("what", SheetKind::Text), ("value", SheetKind::Text)])?;
    let coverage = &record.coverage;
    let version = record.store.version.to_string();
    let frameworks: Vec<&str> = record
        .frameworks
        .iter()
        .map(|framework| framework.title.as_str())
        .collect();
    let (frameworks, rules) = (frameworks.join("; "), record.redaction_rules.join(" "));
    let made_at = record.made_at();
    let of = |part: u64| format!("{} of {}", format_count(part), format_count(coverage.hours));
    let hours = [
        coverage.hours_complete,
        coverage.hours_incomplete,
        coverage.hours_silent,
    ]
    .map(of);
    let [complete, incomplete, silent] = &hours;
    let events = format_count(coverage.events);
    let lines: [(&str, Option<&str>); 16] = [
        ("period", Some(&record.period.text)),
        ("from (UTC)", Some(&record.period.since)),
        ("until (UTC), exclusive", Some(&record.period.until)),
        ("frameworks", Some(&frameworks)),
        ("prepared by", record.prepared_by.as_deref()),
        ("of", Some(&made_at)),
        ("version of the store", Some(&version)),
        ("SHA-256 of its log entry", record.store.log_entry_sha256.as_deref()),
        ("trimtrail", Some(&record.trimtrail_version)),
        ("events", Some(&events)),
        ("hours of accounts in regions that are complete", Some(complete)),
        ("hours in which something is missing", Some(incomplete)),
        ("hours of which nothing is there", Some(silent)),
        ("redaction", Some(&record.redaction)),
        ("its rules", Some(&rules)),
        (
            "all files, and what binds them",
            Some("SHA256SUMS and statement.intoto.json in the folder of this workbook"),
        ),
    ];
    for (what, value) in lines {
        sheet.push(&[CellValue::Text(what), value.map_or(CellValue::Empty, CellValue::Text)])?;
    }
    for (name, value) in &record.parameters {
        sheet.push(&[CellValue::Text(&format!("parameter {name}")), CellValue::Text(value)])?;
    }
    Ok(sheet)
}

fn controls(record: &BundleRecord, sheets: &[(String, Sheet)]) -> Result<Sheet, ReportError> {
    let columns = [
        "framework",
        "control",
        "asks for",
        "what its tables say",
        "why",
        "table",
        "rows",
        "why it serves",
    ];
    let kind = |name: &str| match name {
        "rows" => SheetKind::Number,
        _ => SheetKind::Text,
    };
    let mut sheet = Sheet::new(CONTROLS, &columns.map(|name| (name, kind(name))))?;
    for control in &record.controls {
        for evidence in &control.evidence {
            let position = record
                .exhibits
                .iter()
                .position(|exhibit| exhibit.id == evidence.exhibit);
            let name = position.and_then(|position| sheets.get(position));
            sheet.push(&[
                CellValue::Text(&control.framework),
                CellValue::Text(&control.id),
                CellValue::Text(&control.title),
                CellValue::Text(control.judgement.standing.name()),
                CellValue::Text(&control.judgement.reason),
                name.map_or(CellValue::Text(&evidence.exhibit), |(name, _)| CellValue::Sheet(name)),
                CellValue::Whole(whole(evidence.rows)),
                CellValue::Text(&evidence.reason),
            ])?;
        }
    }
    Ok(sheet)
}

fn tables(all: &[(&ExhibitRecord, String, Sheet)]) -> Result<Sheet, ReportError> {
    let columns = [
        ("table", SheetKind::Text),
        ("title", SheetKind::Text),
        ("shows", SheetKind::Text),
        ("rows", SheetKind::Number),
        ("rows here", SheetKind::Number),
        ("what they say", SheetKind::Text),
        ("remarks", SheetKind::Text),
        ("question", SheetKind::Text),
        ("files", SheetKind::Text),
    ];
    let mut sheet = Sheet::new(TABLES, &columns)?;
    for (exhibit, name, of_exhibit) in all {
        let summary = of_exhibit.summary();
        let mut remarks = exhibit.caveats.clone();
        if summary.left_out > 0 {
            let left_out = format_count(summary.left_out);
            remarks.push(format!("{left_out} further rows are in its files only."));
        }
        if summary.cut_values > 0 {
            let cut = format_count(summary.cut_values);
            remarks.push(format!(
                "{cut} values are too long for a cell; they are whole in its files."
            ));
        }
        let said = format!("{}: {}", exhibit.judgement.standing.name(), exhibit.judgement.reason);
        sheet.push(&[
            CellValue::Sheet(name),
            CellValue::Text(&exhibit.title),
            CellValue::Text(&exhibit.shows),
            CellValue::Whole(whole(exhibit.rows)),
            CellValue::Whole(whole(summary.rows)),
            CellValue::Text(&said),
            CellValue::Text(&remarks.join(" ")),
            exhibit.question.as_deref().map_or(CellValue::Empty, CellValue::Text),
            CellValue::Text(&exhibit.files.join(", ")),
        ])?;
    }
    Ok(sheet)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::array::RecordBatch;
    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn sheets_share_their_room_and_count_the_rows_that_have_none() {
        let rows = 60_000;
        let values: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1_000); rows]));
        let batch = RecordBatch::try_from_iter([("name", values)]).unwrap();
        let mut room = WorkbookRoom::default();
        let mut kept = Vec::new();
        for position in 0..6 {
            let sheet = Sheet::of_schema(&position.to_string(), &batch.schema()).unwrap();
            let mut sheet = sheet.with_room(room.of_next());
            sheet.write(&batch).unwrap();
            room.take(sheet.taken());
            let summary = sheet.summary();
            assert_eq!(summary.rows + summary.left_out, 60_000);
            kept.push(summary.rows);
        }
        assert!(
            kept.is_sorted_by(|more, less| more >= less) && kept.iter().all(|rows| *rows > 1_000),
            "{kept:?}"
        );
        assert!(kept.iter().sum::<u64>() * 1_080 < ALL_SHEETS.bytes, "{kept:?}");
    }
}
