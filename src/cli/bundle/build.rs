//! Making a bundle: every question, every table, the page, and what binds them.

use std::collections::BTreeSet;

use super::BundleFolder;
use super::Plan;
use super::basis::Basis;
use super::exhibit::MadeExhibit;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::interrupt::StopFlag;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::iam::Facts;
use crate::integrity::SealingKey;
use crate::query::Question;
use crate::report::CheckFrame;
use crate::report::evidence::BundleRecord;
use crate::report::evidence::EvidencePage;
use crate::report::evidence::Exhibit;
use crate::report::evidence::ExhibitSource;
use crate::report::evidence::FINDINGS_FILE;
use crate::report::evidence::OSCAL_FILE;
use crate::report::evidence::RECORD_FILE;
use crate::report::evidence::SIGNATURE_FILE;
use crate::report::evidence::STATEMENT_FILE;
use crate::report::evidence::SUMS_FILE;
use crate::report::evidence::StoreRecord;
use crate::report::evidence::WORKBOOK_FILE;
use crate::report::evidence::WorkbookRoom;
use crate::report::evidence::assessment_results;
use crate::report::evidence::bundle_findings;
use crate::report::evidence::bundle_workbook;
use crate::report::evidence::exhibit_sheets;
use crate::report::evidence::statement;
use crate::report::evidence::sums;

/// Exhibits that every bundle has, whatever its controls: what the others rest on.
const ALWAYS: [&str; 4] = ["coverage", "ingest-balance", "integrity", "trail-settings"];

/// Parameters that the period gives.
pub(super) const WINDOW: [&str; 2] = ["since", "until"];

/// Makes a bundle.
pub(in crate::cli) struct Maker<'a> {
    pub(in crate::cli) plan: &'a Plan,
    pub(in crate::cli) store: StoreRecord,
    pub(in crate::cli) facts: &'a Facts,
    pub(in crate::cli) engine: &'a Engine,
    pub(in crate::cli) runtime: &'a Runtime,
    pub(in crate::cli) stop: &'a StopFlag,
    pub(in crate::cli) settings: &'a Settings,
}

impl Maker<'_> {
    /// Makes the bundle in a folder; `None` when the flag is raised.
    pub(in crate::cli) fn make(&self, folder: &mut BundleFolder) -> Result<Option<BundleRecord>, CliError> {
        let plan = self.plan;
        let controls: Vec<_> = plan.map.controls(&plan.frameworks).collect();
        let evidence = controls.iter().flat_map(|control| &control.evidence);
        let wanted: BTreeSet<&str> = evidence.map(|it| it.exhibit.as_str()).chain(ALWAYS).collect();
        let exhibits: Vec<&Exhibit> = wanted.into_iter().filter_map(|id| plan.map.exhibit(id)).collect();
        self.check_parameters(&exhibits)?;
        let basis = self.basis()?;
        let (mut names, mut room) = (exhibit_sheets(), WorkbookRoom::default());
        let mut made = Vec::new();
        for exhibit in exhibits {
            if self.stop.status().is_some() {
                return Ok(None);
            }
            let sheet = names.take(&exhibit.id);
            let one = self.exhibit(exhibit, (&basis, sheet, room.of_next()), folder)?;
            room.take(one.answered.sheet.taken());
            made.push((one, exhibit.columns.clone()));
        }
        if self.stop.status().is_some() {
            return Ok(None);
        }
        self.attach(&basis, folder)?;
        let record = self.record(&basis, made.iter().map(|(made, _)| made.record.clone()).collect());
        self.conclude(&record, &basis, made, folder)?;
        Ok(Some(record))
    }

    /// Files that are there once.
    fn attach(&self, basis: &Basis, folder: &mut BundleFolder) -> Result<(), CliError> {
        let plan = self.plan;
        folder.put("coverage.svg", basis.picture.as_bytes())?;
        if let Some(report) = &basis.report {
            folder.put("integrity.json", report.as_bytes())?;
        }
        if let Some(text) = &plan.own_controls {
            folder.put("controls.toml", text.as_bytes())?;
        }
        for file in &plan.keys {
            folder.put(&file.name, &file.content)?;
        }
        Ok(())
    }

    /// Files about all exhibits, and those that bind all files.
    fn conclude(
        &self,
        record: &BundleRecord,
        basis: &Basis,
        made: Vec<(MadeExhibit<'_>, Vec<String>)>,
        folder: &mut BundleFolder,
    ) -> Result<(), CliError> {
        let (mut shown, mut sheets, mut checks, mut access) = (Vec::new(), Vec::new(), Vec::new(), None);
        for (exhibit, columns) in made {
            let answered = exhibit.answered;
            shown.push((answered.finished, columns));
            sheets.push((exhibit.sheet, answered.sheet));
            checks.extend(answered.check);
            access = access.or(answered.access);
        }
        let page = EvidencePage {
            record,
            exhibits: &shown,
            picture: &basis.picture,
            integrity: &basis.integrity,
        };
        folder.put("index.html", page.render()?.as_bytes())?;
        let mut workbook = folder.create(WORKBOOK_FILE)?;
        bundle_workbook(record, sheets, &mut workbook)?;
        folder.complete(WORKBOOK_FILE, workbook)?;
        let frame = CheckFrame {
            since: self.plan.window.since,
            until: self.plan.window.until,
        };
        let findings = bundle_findings(record, &checks, access.as_ref(), frame);
        folder.put(FINDINGS_FILE, findings.as_bytes())?;
        let text = serde_json::to_string_pretty(record).unwrap_or_default();
        folder.put(RECORD_FILE, format!("{text}\n").as_bytes())?;
        let results = assessment_results(record, folder.files());
        folder.put(OSCAL_FILE, results.as_bytes())?;
        let bound = statement(record, folder.files());
        folder.put(STATEMENT_FILE, bound.as_bytes())?;
        let bound = sums(folder.files());
        folder.put(SUMS_FILE, bound.as_bytes())?;
        match &self.plan.sealing_key {
            None => Ok(()),
            Some(key) => folder.put(SIGNATURE_FILE, sealed(key, &bound)?.as_bytes()),
        }
    }

    /// Refuses parameters that no question has, and another window than the period.
    fn check_parameters(&self, exhibits: &[&Exhibit]) -> Result<(), CliError> {
        let of_exhibits = exhibits.iter().flat_map(|exhibit| exhibit.parameters.keys());
        let mut names = self.plan.parameters.keys().chain(of_exhibits);
        if let Some(name) = names.find(|name| WINDOW.contains(&name.as_str())) {
            return Err(CliError::Usage {
                message: format!("`{name}` is no parameter of a bundle: all of it is about one period"),
                hint: Some("name the period with `--period`, such as `2026-07-01..2026-10-01`".to_owned()),
            });
        }
        let mut known = BTreeSet::new();
        for exhibit in exhibits {
            if let Some(question) = self.question(exhibit)? {
                known.extend(question.params.iter().map(|param| param.name.as_str()));
            }
        }
        match self.plan.parameters.keys().find(|name| !known.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => Err(CliError::usage(format!(
                "no question of the bundle has a parameter `{name}`"
            ))),
        }
    }

    /// The question that an exhibit answers.
    pub(super) fn question(&self, exhibit: &Exhibit) -> Result<Option<&Question>, CliError> {
        match &exhibit.source {
            ExhibitSource::Table(_) => Ok(None),
            ExhibitSource::Question(id) => crate::cli::command::find_question(&self.plan.library, id).map(Some),
        }
    }
}

fn sealed(key: &SealingKey, sums: &str) -> Result<String, CliError> {
    let signature = key.sign(sums.as_bytes());
    signature.map_err(|cause| CliError::usage(format!("cannot sign `{SUMS_FILE}`: {cause}")))
}
