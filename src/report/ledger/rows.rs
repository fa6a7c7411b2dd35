//! Rows of the coverage, and of what trails record.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::array::Date32Array;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;

use crate::analysis::CoverageCounts;
use crate::analysis::CoverageRow;
use crate::analysis::Gap;
use crate::analysis::RegionCoverage;
use crate::analysis::Step;
use crate::analysis::TrailSetting;
use crate::report::ReportError;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Accounts and regions in order, each with its hours or days; `has_keys` says whether signatures were checked.
pub fn coverage_rows(regions: &[RegionCoverage], step: Step, has_keys: bool) -> Result<RecordBatch, ReportError> {
    let rows = || {
        let regions = regions.iter();
        regions.flat_map(|region| region.rows.iter().map(move |row| (region, row)))
    };
    let text = |text: &dyn Fn((&RegionCoverage, &CoverageRow)) -> Option<String>| -> ArrayRef {
        Arc::new(rows().map(text).collect::<StringArray>())
    };
    let count = |count: &dyn Fn(&CoverageRow) -> Option<u64>| -> ArrayRef {
        let counts = rows().map(|(_, row)| count(row).map(|count| i64::try_from(count).unwrap_or(i64::MAX)));
        Arc::new(counts.collect::<Int64Array>())
    };
    let of = |part: fn(&CoverageCounts) -> u64| count(&|row| Some(part(&row.counts)));
    let time = |time: fn(&CoverageRow) -> Option<i64>| times(rows().map(|(_, row)| time(row)));
    let start: (&str, ArrayRef) = match step {
        Step::Hour => ("hour", time(|row| Some(row.start))),
        Step::Day => {
            let days = rows().map(|(_, row)| i32::try_from(row.start.div_euclid(MICROS_PER_DAY)).ok());
            ("day", Arc::new(days.collect::<Date32Array>()))
        }
    };
    let joined = |gaps: &[Gap], part: fn(&Gap) -> &str, separator: &str| {
        let parts: Vec<&str> = gaps.iter().map(part).collect();
        (!parts.is_empty()).then(|| parts.join(separator))
    };
    let columns: [(&str, ArrayRef); 21] = [
        ("account_id", text(&|(region, _)| Some(region.account_id.clone()))),
        ("region", text(&|(region, _)| Some(region.region.clone()))),
        start,
        ("state", text(&|(_, row)| Some(row.state.name().to_owned()))),
        (
            "reason",
            text(&|(_, row)| joined(&row.gaps, |gap| gap.kind.name(), ", ")),
        ),
        ("detail", text(&|(_, row)| joined(&row.gaps, |gap| &gap.detail, "; "))),
        ("hours_complete", count(&|row| Some(row.hours_complete))),
        ("hours_incomplete", count(&|row| Some(row.hours_incomplete))),
        ("hours_silent", count(&|row| Some(row.hours_silent))),
        ("digests_expected", of(|counts| counts.digests_expected)),
        ("digests_found", of(|counts| counts.digests_found)),
        (
            "digests_valid",
            count(&|row| has_keys.then_some(row.counts.digests_valid)),
        ),
        ("logs_named", of(|counts| counts.logs_named)),
        ("logs_missing", of(|counts| counts.logs_missing)),
        ("logs_changed", of(|counts| counts.logs_changed)),
        ("logs_present", of(|counts| counts.logs_present)),
        ("logs_ingested", of(|counts| counts.logs_ingested)),
        ("logs_rejected", of(|counts| counts.logs_rejected)),
        ("records_rejected", of(|counts| counts.records_rejected)),
        ("events", of(|counts| counts.events)),
        ("first_event", time(|row| row.first_event)),
    ];
    let last = ("last_event", time(|row| row.last_event));
    let columns = columns.into_iter().chain([last]);
    let nullable = columns.map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}

/// What trails record, one row per kind of events.
pub fn setting_rows(settings: &[TrailSetting]) -> Result<RecordBatch, ReportError> {
    let text = |text: &dyn Fn(&TrailSetting) -> Option<String>| -> ArrayRef {
        Arc::new(settings.iter().map(text).collect::<StringArray>())
    };
    let truth = |truth: fn(&TrailSetting) -> bool| -> ArrayRef {
        Arc::new(
            settings
                .iter()
                .map(|setting| Some(truth(setting)))
                .collect::<BooleanArray>(),
        )
    };
    let columns: [(&str, ArrayRef); 8] = [
        ("account_id", text(&|setting| Some(setting.account_id.clone()))),
        ("category", text(&|setting| Some(setting.category.to_owned()))),
        ("resource_type", text(&|setting| setting.resource_type.clone())),
        ("region", text(&|setting| setting.region.clone())),
        ("reads", truth(|setting| setting.reads)),
        ("writes", truth(|setting| setting.writes)),
        ("first_event", times(settings.iter().map(|setting| setting.first_event))),
        ("last_event", times(settings.iter().map(|setting| setting.last_event))),
    ];
    let nullable = columns.into_iter().map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}

fn times(moments: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(moments.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}
