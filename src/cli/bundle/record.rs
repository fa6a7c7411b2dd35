//! What a bundle says of itself.

use std::collections::BTreeMap;

use super::Plan;
use super::basis::Basis;
use super::build::Maker;
use crate::cli::basis::time;
use crate::report::evidence::BundleRecord;
use crate::report::evidence::Control;
use crate::report::evidence::ControlRecord;
use crate::report::evidence::EvidenceRecord;
use crate::report::evidence::ExhibitRecord;
use crate::report::evidence::FORMAT;
use crate::report::evidence::FrameworkRecord;
use crate::report::evidence::Judgement;
use crate::report::evidence::KeyRecord;
use crate::report::evidence::PeriodRecord;

impl Maker<'_> {
    /// The record over these exhibits.
    pub(super) fn record(&self, basis: &Basis, exhibits: Vec<ExhibitRecord>) -> BundleRecord {
        let plan = self.plan;
        let frameworks = plan.frameworks.iter().filter_map(|id| {
            let mut known = plan.map.frameworks().iter();
            known.find(|framework| framework.id == *id)
        });
        BundleRecord {
            format: FORMAT,
            trimtrail_version: env!("CARGO_PKG_VERSION").to_owned(),
            period: PeriodRecord {
                text: plan.period.clone(),
                since: time(plan.window.since),
                until: time(plan.window.until),
            },
            store: self.store.clone(),
            facts: owned(self.facts.about()),
            frameworks: frameworks
                .map(|framework| FrameworkRecord {
                    id: framework.id.clone(),
                    title: framework.title.clone(),
                })
                .collect(),
            parameters: plan.parameters.clone(),
            redaction: plan.redaction.name().to_owned(),
            redaction_rules: plan.redaction.rules().iter().map(|rule| (*rule).to_owned()).collect(),
            prepared_by: plan.prepared_by.clone(),
            prepared_at: plan.prepared_at.clone(),
            has_own_controls: plan.own_controls.is_some(),
            public_keys: plan
                .keys
                .iter()
                .map(|file| KeyRecord {
                    file: file.name.clone(),
                    region: file.region.clone(),
                })
                .collect(),
            signed_by: plan.signed_by.clone(),
            integrity: basis.grounds.integrity,
            coverage: basis.grounds.coverage.clone(),
            controls: control_records(plan, &exhibits),
            exhibits,
        }
    }
}

fn owned(about: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = about.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn control_records(plan: &Plan, exhibits: &[ExhibitRecord]) -> Vec<ControlRecord> {
    let rows_of = |id: &str| {
        let mut exhibits = exhibits.iter();
        exhibits
            .find(|exhibit| exhibit.id == id)
            .map_or(0, |exhibit| exhibit.rows)
    };
    let judgements = |control: &Control| {
        let served = control.evidence.iter().filter_map(|evidence| {
            let mut known = exhibits.iter();
            let exhibit = known.find(|exhibit| exhibit.id == evidence.exhibit)?;
            Some((exhibit.id.as_str(), evidence.weighed(&exhibit.judgement)))
        });
        let served: Vec<(&str, Judgement)> = served.collect();
        Judgement::of_control(served.iter().map(|(exhibit, judgement)| (*exhibit, judgement)))
    };
    let controls = plan.map.controls(&plan.frameworks).map(|control| ControlRecord {
        framework: control.framework.clone(),
        id: control.id.clone(),
        title: control.title.clone(),
        judgement: judgements(control),
        evidence: control
            .evidence
            .iter()
            .map(|evidence| EvidenceRecord {
                exhibit: evidence.exhibit.clone(),
                reason: evidence.reason.clone(),
                rows: rows_of(&evidence.exhibit),
            })
            .collect(),
    });
    controls.collect()
}
