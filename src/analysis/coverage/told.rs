//! Reasons by hour, each kind told once.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::model::Gap;
use super::model::GapKind;
use super::model::HOUR;
use super::model::hours_of;
use crate::policy::Window;

/// Reasons of the hours of a window.
#[derive(Debug)]
pub(super) struct HourGaps {
    hours: BTreeSet<i64>,
    /// Hours in which nothing was told yet, by kind: many objects may be about long times.
    untold: BTreeMap<GapKind, BTreeSet<i64>>,
    gaps: BTreeMap<i64, Vec<Gap>>,
}

impl HourGaps {
    /// None yet.
    pub(super) fn new(window: Window) -> Self {
        Self {
            hours: hours_of(window).collect(),
            untold: BTreeMap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// Tells a reason in every hour from the first to the last of these moments in which none of its kind was told.
    pub(super) fn tell(&mut self, gap: &Gap, (first, last): (i64, i64)) {
        if first > last {
            return;
        }
        let untold = self.untold.entry(gap.kind).or_insert_with(|| self.hours.clone());
        let own = untold.range(first.div_euclid(HOUR)..=last.div_euclid(HOUR));
        let own: Vec<i64> = own.copied().collect();
        for hour in own {
            untold.remove(&hour);
            self.gaps.entry(hour).or_default().push(gap.clone());
        }
    }

    /// By number of the hour: what was told, in that order.
    pub(super) fn told(self) -> BTreeMap<i64, Vec<Gap>> {
        self.gaps
    }
}
