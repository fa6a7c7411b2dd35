//! Making a bundle: every question, every table, the page, and what binds them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;

use super::BundleFolder;
use super::Plan;
use crate::analysis;
use crate::analysis::RegionCoverage;
use crate::analysis::Step;
use crate::cli::basis::time;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::interrupt::StopFlag;
use crate::cli::log_coverage;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::iam::Facts;
use crate::integrity::ChainReport;
use crate::query::Question;
use crate::report::IntegrityReport;
use crate::report::coverage_rows;
use crate::report::evidence::BundleRecord;
use crate::report::evidence::ControlRecord;
use crate::report::evidence::CoverageRecord;
use crate::report::evidence::EvidencePage;
use crate::report::evidence::EvidenceRecord;
use crate::report::evidence::Exhibit;
use crate::report::evidence::ExhibitRecord;
use crate::report::evidence::ExhibitSource;
use crate::report::evidence::ExhibitWriter;
use crate::report::evidence::FORMAT;
use crate::report::evidence::Finished;
use crate::report::evidence::FixedTable;
use crate::report::evidence::FrameworkRecord;
use crate::report::evidence::KeyRecord;
use crate::report::evidence::PeriodRecord;
use crate::report::evidence::RECORD_FILE;
use crate::report::evidence::STATEMENT_FILE;
use crate::report::evidence::SUMS_FILE;
use crate::report::evidence::StoreRecord;
use crate::report::evidence::integrity_rows;
use crate::report::evidence::statement;
use crate::report::evidence::sums;
use crate::report::picture;
use crate::report::setting_rows;

/// Exhibits that every bundle has, whatever its controls: what the others rest on.
const ALWAYS: [&str; 4] = ["coverage", "ingest-balance", "integrity", "trail-settings"];

/// Parameters that the period gives.
const WINDOW: [&str; 2] = ["since", "until"];

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

/// What the tables rest on.
struct Basis {
    regions: Vec<RegionCoverage>,
    chains: Vec<ChainReport>,
    /// The report on every digest and log that is not simply valid, if there are keys.
    report: Option<String>,
    integrity: String,
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
        let mut records = Vec::new();
        let mut shown = Vec::new();
        for exhibit in exhibits {
            if self.stop.status().is_some() {
                return Ok(None);
            }
            let (record, finished) = self.exhibit(exhibit, &basis, folder)?;
            records.push(record);
            shown.push((finished, exhibit.columns.clone()));
        }
        if self.stop.status().is_some() {
            return Ok(None);
        }
        let svg = picture(&basis.regions)?;
        folder.put("coverage.svg", svg.as_bytes())?;
        if let Some(report) = &basis.report {
            folder.put("integrity.json", report.as_bytes())?;
        }
        if let Some(text) = &plan.own_controls {
            folder.put("controls.toml", text.as_bytes())?;
        }
        for file in &plan.keys {
            folder.put(&file.name, &file.content)?;
        }
        let record = self.record(&basis, records);
        let page = EvidencePage {
            record: &record,
            exhibits: &shown,
            picture: &svg,
            integrity: &basis.integrity,
        };
        folder.put("index.html", page.render()?.as_bytes())?;
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        folder.put(RECORD_FILE, format!("{text}\n").as_bytes())?;
        let bound = statement(&record, folder.files());
        folder.put(STATEMENT_FILE, bound.as_bytes())?;
        let bound = sums(folder.files());
        folder.put(SUMS_FILE, bound.as_bytes())?;
        Ok(Some(record))
    }

    /// Coverage and integrity.
    fn basis(&self) -> Result<Basis, CliError> {
        let keys = self.plan.public_keys()?;
        let question = log_coverage::Question {
            window: self.plan.window,
            step: Step::Day,
            keys: keys.as_ref(),
            accounts: &[],
            regions: &[],
        };
        let mut report = IntegrityReport::new(false);
        let mut chains = Vec::new();
        let regions = question.answer_with(self.engine, (self.runtime, self.stop), self.settings, |group| {
            chains.extend(group.chains.iter().cloned());
            report.add(group);
        })?;
        let integrity = match &keys {
            None => "The digests were not verified: no public keys were given.".to_owned(),
            Some(_) => format!(
                "{} digests are valid by CloudTrail's signature; the result over all digests and logs is: {}. Files that are not \
                 simply valid stand in integrity.json.",
                report.valid_digests(),
                report.result(),
            ),
        };
        Ok(Basis {
            regions,
            chains,
            report: keys.as_ref().map(|keys| report.json(keys)),
            integrity,
        })
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

    fn question(&self, exhibit: &Exhibit) -> Result<Option<&Question>, CliError> {
        match &exhibit.source {
            ExhibitSource::Table(_) => Ok(None),
            ExhibitSource::Question(id) => crate::cli::command::find_question(&self.plan.library, id).map(Some),
        }
    }

    fn exhibit(
        &self,
        exhibit: &Exhibit,
        basis: &Basis,
        folder: &mut BundleFolder,
    ) -> Result<(ExhibitRecord, Finished), CliError> {
        let question = self.question(exhibit)?;
        let mut parameters = BTreeMap::new();
        if let Some(question) = question {
            let window = self.plan.window;
            let own = WINDOW.into_iter().zip([time(window.since), time(window.until)]);
            let own = own.map(|(name, value)| (name.to_owned(), value));
            let all = own
                .chain(self.plan.parameters.clone())
                .chain(exhibit.parameters.clone());
            let is_declared = |name: &str| question.params.iter().any(|param| param.name == name);
            parameters.extend(all.filter(|(name, _)| is_declared(name)));
        }
        let names: Vec<String> = ExhibitWriter::FORMATS
            .iter()
            .map(|(ending, _)| format!("tables/{}.{ending}", exhibit.id))
            .collect();
        let finished = match (question, &exhibit.source) {
            (Some(question), _) => self.answer(question, &parameters, (exhibit, &names), folder)?,
            (None, ExhibitSource::Table(table)) => {
                let batch = self.table(*table, basis)?;
                self.write((&batch.schema(), exhibit, &names), folder, |writer| {
                    Ok(writer.write(&batch)?)
                })?
            }
            (None, ExhibitSource::Question(_)) => Finished::default(),
        };
        let sql = question.map(|question| format!("queries/{}.sql", question.id));
        if let Some((question, name)) = question.zip(sql.as_ref())
            && !folder.files().contains_key(name)
        {
            folder.put(name, question.sql.as_bytes())?;
        }
        let record = ExhibitRecord {
            id: exhibit.id.clone(),
            title: exhibit.title.clone(),
            shows: exhibit.shows.clone(),
            question: question.map(|question| question.id.clone()),
            sql,
            sql_sha256: question.map(|question| question.sha256.clone()),
            parameters,
            caveats: question.map(|question| question.caveats.clone()).unwrap_or_default(),
            rows: finished.rows,
            columns: finished.columns.clone(),
            files: names,
        };
        Ok((record, finished))
    }

    fn answer(
        &self,
        question: &Question,
        parameters: &BTreeMap<String, String>,
        (exhibit, names): (&Exhibit, &[String]),
        folder: &mut BundleFolder,
    ) -> Result<Finished, CliError> {
        let values: Vec<(String, String)> = parameters.clone().into_iter().collect();
        let answer = self.runtime.run(self.engine.ask(question, &values))?;
        let schema = answer.schema;
        let mut batches = answer.stream;
        self.write((&schema, exhibit, names), folder, |writer| {
            // A bundle that is not completed is given up by the caller.
            while let Some(Some(batch)) = self
                .runtime
                .run(async { Ok(self.stop.or_stop(batches.next()).await) })?
            {
                writer.write(&batch?)?;
            }
            Ok(())
        })
    }

    fn table(&self, table: FixedTable, basis: &Basis) -> Result<RecordBatch, CliError> {
        Ok(match table {
            FixedTable::Coverage => coverage_rows(&basis.regions, Step::Day, basis.report.is_some())?,
            FixedTable::Integrity => integrity_rows(&basis.chains)?,
            FixedTable::TrailSettings => {
                let logs = analysis::account_logs(self.engine.session(), self.plan.window);
                let logs = self.runtime.run(async { Ok(logs.await?) })?;
                setting_rows(&analysis::trail_settings(&logs))?
            }
        })
    }

    /// Writes one exhibit in all formats.
    fn write(
        &self,
        (schema, exhibit, names): (&SchemaRef, &Exhibit, &[String]),
        folder: &mut BundleFolder,
        mut fill: impl FnMut(&mut ExhibitWriter<'_>) -> Result<(), CliError>,
    ) -> Result<Finished, CliError> {
        let [csv, json, parquet] = names else {
            return Ok(Finished::default());
        };
        let mut files = (folder.create(csv)?, folder.create(json)?, folder.create(parquet)?);
        let targets: [Box<dyn Write + Send + '_>; 3] =
            [Box::new(&mut files.0), Box::new(&mut files.1), Box::new(&mut files.2)];
        let chart = exhibit.chart.as_deref();
        let mut writer = ExhibitWriter::new(schema, chart, self.plan.redaction, targets)?;
        fill(&mut writer)?;
        let finished = writer.finish()?;
        folder.complete(csv, files.0)?;
        folder.complete(json, files.1)?;
        folder.complete(parquet, files.2)?;
        Ok(finished)
    }

    fn record(&self, basis: &Basis, exhibits: Vec<ExhibitRecord>) -> BundleRecord {
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
            coverage: coverage_record(&basis.regions),
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

fn coverage_record(regions: &[RegionCoverage]) -> CoverageRecord {
    let rows = || regions.iter().flat_map(|region| &region.rows);
    let distinct = |names: BTreeSet<&str>| u64::try_from(names.len()).unwrap_or(u64::MAX);
    CoverageRecord {
        accounts: distinct(regions.iter().map(|region| region.account_id.as_str()).collect()),
        regions: distinct(regions.iter().map(|region| region.region.as_str()).collect()),
        hours: rows().map(|row| row.hours).sum(),
        hours_complete: rows().map(|row| row.hours_complete).sum(),
        hours_incomplete: rows().map(|row| row.hours_incomplete).sum(),
        hours_silent: rows().map(|row| row.hours_silent).sum(),
        events: rows().map(|row| row.counts.events).sum(),
    }
}

fn control_records(plan: &Plan, exhibits: &[ExhibitRecord]) -> Vec<ControlRecord> {
    let rows_of = |id: &str| {
        let mut exhibits = exhibits.iter();
        exhibits
            .find(|exhibit| exhibit.id == id)
            .map_or(0, |exhibit| exhibit.rows)
    };
    let controls = plan.map.controls(&plan.frameworks).map(|control| ControlRecord {
        framework: control.framework.clone(),
        id: control.id.clone(),
        title: control.title.clone(),
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
