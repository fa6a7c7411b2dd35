//! One exhibit: its rows in all formats, and what they say.

use std::collections::BTreeMap;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;

use super::BundleFolder;
use super::basis::Basis;
use super::build::Maker;
use super::build::WINDOW;
use crate::analysis;
use crate::analysis::Checker;
use crate::analysis::Step;
use crate::cli::basis::time;
use crate::cli::error::CliError;
use crate::query::Question;
use crate::report::Check;
use crate::report::Sheet;
use crate::report::SheetRoom;
use crate::report::coverage_rows;
use crate::report::evidence::ACCESS_QUESTION;
use crate::report::evidence::AccessAnalysis;
use crate::report::evidence::Exhibit;
use crate::report::evidence::ExhibitRecord;
use crate::report::evidence::ExhibitSource;
use crate::report::evidence::ExhibitWriter;
use crate::report::evidence::Finished;
use crate::report::evidence::FixedTable;
use crate::report::evidence::Judgement;
use crate::report::evidence::integrity_rows;
use crate::report::setting_rows;

/// An exhibit whose files are written.
#[derive(Debug)]
pub(super) struct MadeExhibit<'m> {
    pub(super) record: ExhibitRecord,
    /// Name of its sheet.
    pub(super) sheet: String,
    pub(super) answered: Answered<'m>,
}

/// What is made of the rows beside the files.
#[derive(Debug)]
pub(super) struct Answered<'m> {
    pub(super) finished: Finished,
    pub(super) sheet: Sheet,
    /// If its rows are findings.
    pub(super) check: Option<Check<'m>>,
    /// If its rows are unused permissions.
    pub(super) access: Option<AccessAnalysis>,
}

/// Where an exhibit goes.
#[derive(Debug, Clone, Copy)]
struct Place<'p> {
    exhibit: &'p Exhibit,
    /// Its files, in the order of the formats.
    names: &'p [String; 3],
    sheet: &'p str,
    room: SheetRoom,
}

impl Answered<'_> {
    fn of_table((finished, sheet): (Finished, Sheet)) -> Self {
        Self {
            finished,
            sheet,
            check: None,
            access: None,
        }
    }
}

impl Maker<'_> {
    /// Makes one exhibit.
    pub(super) fn exhibit<'m>(
        &'m self,
        exhibit: &Exhibit,
        (basis, sheet, room): (&Basis, String, SheetRoom),
        folder: &mut BundleFolder,
    ) -> Result<MadeExhibit<'m>, CliError> {
        let question = self.question(exhibit)?;
        let parameters = question.map_or_else(BTreeMap::new, |question| self.parameters(question, exhibit));
        let names = ExhibitWriter::FORMATS.map(|(ending, _)| format!("tables/{}.{ending}", exhibit.id));
        let place = Place {
            exhibit,
            names: &names,
            sheet: &sheet,
            room,
        };
        let answered = match (question, &exhibit.source) {
            (Some(question), _) => self.answer(question, &parameters, place, folder)?,
            (None, ExhibitSource::Table(table)) => {
                let batch = Self::table(*table, basis)?;
                let written = self.write((&batch.schema(), place), folder, |writer| {
                    writer.write(&batch)?;
                    Ok(())
                })?;
                Answered::of_table(written)
            }
            (None, ExhibitSource::Question(id)) => return Err(CliError::usage(format!("there is no question `{id}`"))),
        };
        let judgement = match (&answered.check, &exhibit.source) {
            (Some(check), _) => Judgement::of_check(check, &basis.grounds),
            (None, ExhibitSource::Table(FixedTable::Coverage)) => Judgement::of_coverage(&basis.grounds),
            (None, ExhibitSource::Table(FixedTable::Integrity)) => Judgement::of_integrity(&basis.grounds),
            (None, ExhibitSource::Table(FixedTable::TrailSettings) | ExhibitSource::Question(_)) => {
                Judgement::described()
            }
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
            rows: answered.finished.rows,
            judgement,
            columns: answered.finished.columns.clone(),
            files: names.into(),
        };
        Ok(MadeExhibit {
            record,
            sheet,
            answered,
        })
    }

    /// Values of the parameters that a question has: the window, what the user gave, what the exhibit says.
    fn parameters(&self, question: &Question, exhibit: &Exhibit) -> BTreeMap<String, String> {
        let window = self.plan.window;
        let own = WINDOW.into_iter().zip([time(window.since), time(window.until)]);
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let all = own
            .chain(self.plan.parameters.clone())
            .chain(exhibit.parameters.clone());
        let is_declared = |name: &str| question.params.iter().any(|param| param.name == name);
        all.filter(|(name, _)| is_declared(name)).collect()
    }

    fn answer<'m>(
        &'m self,
        question: &'m Question,
        parameters: &BTreeMap<String, String>,
        place: Place<'_>,
        folder: &mut BundleFolder,
    ) -> Result<Answered<'m>, CliError> {
        let values: Vec<(String, String)> = parameters.clone().into_iter().collect();
        let answer = self.runtime.run(self.engine.ask(question, &values))?;
        let schema = answer.schema;
        let mut batches = answer.stream;
        let mut checker = question
            .check_severity()
            .map(|severity| (severity, Checker::new(question)));
        let mut access = (question.id == ACCESS_QUESTION).then(AccessAnalysis::default);
        let (finished, sheet) = self.write((&schema, place), folder, |writer| {
            // A bundle that is not completed is given up by the caller.
            while let Some(Some(batch)) = self
                .runtime
                .run(async { Ok(self.stop.or_stop(batches.next()).await) })?
            {
                let written = writer.write(&batch?)?;
                if let Some((_, checker)) = &mut checker {
                    checker.look_at(&written)?;
                }
                if let Some(access) = &mut access {
                    access.look_at(&written);
                }
            }
            Ok(())
        })?;
        let check = checker.map(|(severity, checker)| {
            let checked = checker.finish();
            Check {
                question,
                severity,
                findings: checked.findings.into_iter().map(|finding| (finding, None)).collect(),
                unknown_rows: checked.unknown_rows,
            }
        });
        Ok(Answered {
            finished,
            sheet,
            check,
            access,
        })
    }

    fn table(table: FixedTable, basis: &Basis) -> Result<RecordBatch, CliError> {
        Ok(match table {
            FixedTable::Coverage => coverage_rows(&basis.regions, Step::Day, basis.report.is_some())?,
            FixedTable::Integrity => integrity_rows(&basis.chains)?,
            FixedTable::TrailSettings => setting_rows(&analysis::trail_settings(&basis.usage.accounts))?,
        })
    }

    /// Writes one exhibit in all formats.
    fn write(
        &self,
        (schema, place): (&SchemaRef, Place<'_>),
        folder: &mut BundleFolder,
        mut fill: impl FnMut(&mut ExhibitWriter<'_>) -> Result<(), CliError>,
    ) -> Result<(Finished, Sheet), CliError> {
        let [csv, json, parquet] = place.names;
        let mut files = (folder.create(csv)?, folder.create(json)?, folder.create(parquet)?);
        let targets: [Box<dyn Write + Send + '_>; 3] =
            [Box::new(&mut files.0), Box::new(&mut files.1), Box::new(&mut files.2)];
        let chart = place.exhibit.chart.as_deref();
        let mut writer = ExhibitWriter::new((schema, place.sheet, place.room), chart, self.plan.redaction, targets)?;
        fill(&mut writer)?;
        let finished = writer.finish()?;
        folder.complete(csv, files.0)?;
        folder.complete(json, files.1)?;
        folder.complete(parquet, files.2)?;
        Ok(finished)
    }
}
