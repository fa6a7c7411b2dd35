//! Which answers are evidence for which controls: the mapping that comes with the program, and what users add.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Judgement;
use super::Standing;

/// Longest name of an exhibit, which becomes the name of files.
const MOST_ID_BYTES: usize = 60;

/// Frameworks, exhibits and controls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ControlMap {
    frameworks: Vec<Framework>,
    exhibits: BTreeMap<String, Exhibit>,
    controls: Vec<Control>,
}

/// A standard that has controls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Short name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The framework that it has its controls of.
    pub subset_of: Option<String>,
    /// Which of them.
    #[serde(default)]
    pub controls: Vec<String>,
}

/// One table of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Short name, also that of its files.
    pub id: String,
    /// What its rows are.
    pub source: ExhibitSource,
    /// A few words.
    pub title: String,
    /// What it shows.
    pub shows: String,
    /// Column by which the rows are counted in a chart.
    pub chart: Option<String>,
    /// Columns that the page shows; all if there are none.
    pub columns: Vec<String>,
    /// Values of parameters of the question.
    pub parameters: BTreeMap<String, String>,
}

/// What the rows of an exhibit are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExhibitSource {
    /// The answer of a question of the library.
    Question(String),
    /// A table that no question gives.
    Table(FixedTable),
}

/// A table that no question gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixedTable {
    /// How far the logs reach.
    Coverage,
    /// What trails record.
    TrailSettings,
    /// Chains of digests.
    Integrity,
}

/// A control and its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Short name of its framework.
    pub framework: String,
    /// Its number in the framework.
    pub id: String,
    /// What it asks for, in a few words.
    pub title: String,
    /// What serves it.
    pub evidence: Vec<Evidence>,
}

/// Why an exhibit serves a control.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The exhibit.
    pub exhibit: String,
    /// Why.
    pub reason: String,
    /// Whether nothing found in it shows that the control is met; other exhibits can only speak against one, or describe.
    #[serde(default)]
    pub decides: bool,
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlsError {
    /// It is no TOML of this form.
    #[error("{0}")]
    Unreadable(String),
    /// The name of an exhibit cannot be that of a file.
    #[error("exhibit `{0}`: a name has lower-case letters, digits and hyphens, at most 60")]
    Name(String),
    /// An exhibit has no rows, or rows twice.
    #[error("exhibit `{0}`: it has either `question` or `table`")]
    Source(String),
    /// Something that is already there.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// A control of a framework that is nowhere.
    #[error("control `{control}`: there is no framework `{framework}`")]
    NoFramework {
        /// The control.
        control: String,
        /// The framework.
        framework: String,
    },
    /// A framework with controls of one that is nowhere, or that is itself a part of another.
    #[error(
        "framework `{0}`: `subset_of` names another framework, which is no part of a third, and `controls` those of it"
    )]
    Subset(String),
    /// A control with an exhibit that is nowhere.
    #[error("control `{control}`: there is no exhibit `{exhibit}`")]
    NoExhibit {
        /// The control.
        control: String,
        /// The exhibit.
        exhibit: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    framework: Vec<Framework>,
    #[serde(default)]
    exhibit: Vec<WrittenExhibit>,
    #[serde(default)]
    control: Vec<Control>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExhibit {
    id: String,
    question: Option<String>,
    table: Option<FixedTable>,
    title: String,
    shows: String,
    chart: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

impl FixedTable {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::TrailSettings => "trail-settings",
            Self::Integrity => "integrity",
        }
    }
}

impl ControlMap {
    /// The mapping that comes with the program.
    ///
    /// # Errors
    /// Only when the shipped file is wrong, which the tests rule out.
    pub fn embedded() -> Result<Self, ControlsError> {
        Self::default().with_text(super::MAPPING)
    }

    /// Adds a file. Evidence for a control that is there already is added to it.
    ///
    /// # Errors
    /// When it cannot be read, repeats a name, or names something that is nowhere.
    pub fn with_text(mut self, text: &str) -> Result<Self, ControlsError> {
        let written: Written = toml::from_str(text).map_err(|error| ControlsError::Unreadable(error.to_string()))?;
        for framework in written.framework {
            if self.frameworks.iter().any(|known| known.id == framework.id) {
                return Err(ControlsError::Twice(framework.id));
            }
            self.check_subset(&framework)?;
            self.frameworks.push(framework);
        }
        for exhibit in written.exhibit {
            let exhibit = exhibit.check()?;
            if let Some(known) = self.exhibits.insert(exhibit.id.clone(), exhibit) {
                return Err(ControlsError::Twice(known.id));
            }
        }
        for control in written.control {
            self.check(&control)?;
            let parts = self.frameworks.iter().filter(|part| part.has(&control));
            let parts: Vec<Control> = parts.map(|part| control.of_framework(&part.id)).collect();
            parts.into_iter().for_each(|control| self.add(control));
            self.add(control);
        }
        Ok(self)
    }

    fn add(&mut self, control: Control) {
        let known = self.controls.iter_mut();
        let mut same = known.filter(|known| known.framework == control.framework && known.id == control.id);
        match same.next() {
            Some(known) => known.evidence.extend(control.evidence),
            None => self.controls.push(control),
        }
    }

    /// A part has its controls from the file that names it, or from later ones.
    fn check_subset(&mut self, framework: &Framework) -> Result<(), ControlsError> {
        let wrong = || ControlsError::Subset(framework.id.clone());
        let Some(whole) = &framework.subset_of else {
            return framework.controls.is_empty().then_some(()).ok_or_else(wrong);
        };
        let known = self.frameworks.iter().find(|known| known.id == *whole);
        if known.is_none_or(|known| known.subset_of.is_some()) {
            return Err(wrong());
        }
        let own = self.controls.iter().filter(|control| control.framework == *whole);
        let own = own.filter(|control| framework.controls.contains(&control.id));
        let own: Vec<Control> = own.map(|control| control.of_framework(&framework.id)).collect();
        self.controls.extend(own);
        Ok(())
    }

    /// All frameworks, in the order of the files.
    pub fn frameworks(&self) -> &[Framework] {
        &self.frameworks
    }

    /// One exhibit.
    pub fn exhibit(&self, id: &str) -> Option<&Exhibit> {
        self.exhibits.get(id)
    }

    /// Controls of these frameworks, in the order of the files.
    pub fn controls<'a>(&'a self, frameworks: &'a [String]) -> impl Iterator<Item = &'a Control> {
        let controls = self.controls.iter();
        controls.filter(move |control| frameworks.contains(&control.framework))
    }

    fn check(&self, control: &Control) -> Result<(), ControlsError> {
        if !self.frameworks.iter().any(|known| known.id == control.framework) {
            return Err(ControlsError::NoFramework {
                control: control.id.clone(),
                framework: control.framework.clone(),
            });
        }
        let unknown = control
            .evidence
            .iter()
            .find(|it| !self.exhibits.contains_key(&it.exhibit));
        match unknown {
            None => Ok(()),
            Some(evidence) => Err(ControlsError::NoExhibit {
                control: control.id.clone(),
                exhibit: evidence.exhibit.clone(),
            }),
        }
    }
}

impl Evidence {
    /// What an exhibit says of the control: that nothing was found only counts where it decides.
    pub fn weighed(&self, judgement: &Judgement) -> Judgement {
        match judgement.standing {
            Standing::Clear if !self.decides => Judgement::described(),
            _ => judgement.clone(),
        }
    }
}

impl Framework {
    /// Whether it has a control of another framework.
    fn has(&self, control: &Control) -> bool {
        self.subset_of.as_ref() == Some(&control.framework) && self.controls.contains(&control.id)
    }
}

impl Control {
    fn of_framework(&self, framework: &str) -> Self {
        Self {
            framework: framework.to_owned(),
            ..self.clone()
        }
    }
}

impl WrittenExhibit {
    fn check(self) -> Result<Exhibit, ControlsError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.id.is_empty() || self.id.len() > MOST_ID_BYTES || !self.id.bytes().all(is_plain) {
            return Err(ControlsError::Name(self.id));
        }
        let source = match (self.question, self.table) {
            (Some(question), None) => ExhibitSource::Question(question),
            (None, Some(table)) => ExhibitSource::Table(table),
            _ => return Err(ControlsError::Source(self.id)),
        };
        Ok(Exhibit {
            id: self.id,
            source,
            title: self.title,
            shows: self.shows,
            chart: self.chart,
            columns: self.columns,
            parameters: self.parameters,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::query::Library;

    #[test]
    fn every_exhibit_that_comes_with_the_program_has_a_question_with_its_columns() {
        let (map, library) = (ControlMap::embedded().unwrap(), Library::embedded().unwrap());
        for exhibit in map.exhibits.values() {
            let ExhibitSource::Question(id) = &exhibit.source else {
                continue;
            };
            let question = library.get(id).unwrap_or_else(|| panic!("no question `{id}`"));
            for column in exhibit.columns.iter().chain(&exhibit.chart) {
                let is_there = question.columns.iter().any(|known| known.name == *column);
                assert!(is_there, "{}: {column}", exhibit.id);
            }
        }
        for exhibit in map.exhibits.keys() {
            let mut evidence = map.controls.iter().flat_map(|control| &control.evidence);
            assert!(evidence.any(|it| it.exhibit == *exhibit), "{exhibit} serves no control");
        }
    }

    #[test]
    fn every_framework_has_controls_and_no_control_is_there_twice() {
        let map = ControlMap::embedded().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for control in &map.controls {
            assert!(
                seen.insert((&control.framework, &control.id)),
                "{} {}",
                control.framework,
                control.id
            );
            assert!(!control.evidence.is_empty());
        }
        for framework in map.frameworks() {
            let wanted = [framework.id.clone()];
            assert!(map.controls(&wanted).count() >= 8, "{}", framework.id);
        }
    }

    #[test]
    fn parts_of_a_framework_have_its_controls_with_all_evidence() {
        let map = ControlMap::embedded().unwrap();
        let ids = |map: &ControlMap, framework: &str| -> Vec<(String, usize)> {
            let wanted = [framework.to_owned()];
            let controls = map.controls(&wanted);
            controls
                .map(|control| (control.id.clone(), control.evidence.len()))
                .collect()
        };
        let all = ids(&map, "nist-800-53");
        let but = |left_out: &[&str]| -> Vec<(String, usize)> {
            let kept = all.iter().filter(|(id, _)| !left_out.contains(&id.as_str()));
            kept.cloned().collect()
        };
        assert_eq!(ids(&map, "fedramp-high"), but(&["AC-3(10)"]));
        assert_eq!(ids(&map, "fedramp-moderate"), but(&["AC-3(10)", "AU-9(3)"]));
        let own = "[[framework]]\nid = 'mine'\ntitle = 'M'\nsubset_of = 'soc2'\ncontrols = ['CC6.1']\n\
                   [[control]]\nframework = 'soc2'\nid = 'CC6.1'\ntitle = 'x'\n\
                   evidence = [{ exhibit = 'coverage', reason = 'r' }]\n";
        let map = map.with_text(own).unwrap();
        let whole = ids(&map, "soc2").into_iter().find(|(id, _)| id == "CC6.1").unwrap();
        assert_eq!(ids(&map, "mine"), [whole]);
        for wrong in [
            own.replace("'soc2'\ncontrols", "'soc3'\ncontrols"),
            own.replace("subset_of = 'soc2'\n", ""),
        ] {
            let error = ControlMap::embedded().unwrap().with_text(&wrong).unwrap_err();
            assert_eq!(error, ControlsError::Subset("mine".to_owned()));
        }
    }

    #[test]
    fn only_exhibits_that_show_all_that_a_control_asks_for_decide_it() {
        let map = ControlMap::embedded().unwrap();
        let evidence = map
            .controls
            .iter()
            .flat_map(|control| control.evidence.iter().map(move |it| (control, it)));
        let deciding: std::collections::BTreeSet<String> = evidence
            .filter(|(_, evidence)| evidence.decides)
            .map(|(control, evidence)| format!("{} {} {}", control.framework, control.id, evidence.exhibit))
            .collect();
        let wanted = [
            "cis-aws 4.2 coverage",
            "cis-aws 4.2 integrity",
            "fedramp-high AC-6 unused-access",
            "fedramp-high AU-9(3) integrity",
            "fedramp-moderate AC-6 unused-access",
            "nist-800-53 AC-6 unused-access",
            "nist-800-53 AU-9(3) integrity",
            "pci-dss-4 10.3.4 integrity",
            "pci-dss-4 7.2.2 unused-access",
            "pci-dss-4 7.2.5 unused-access",
        ];
        assert_eq!(deciding.into_iter().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn nothing_found_counts_only_where_it_decides() {
        let judgement = |standing| Judgement {
            standing,
            reason: "r".to_owned(),
        };
        let weighed = |decides, standing| {
            let evidence = Evidence {
                exhibit: "e".to_owned(),
                reason: "r".to_owned(),
                decides,
            };
            evidence.weighed(&judgement(standing)).standing
        };
        assert_eq!(weighed(true, Standing::Clear), Standing::Clear);
        assert_eq!(weighed(false, Standing::Clear), Standing::Described);
        for standing in [Standing::Unknown, Standing::Review, Standing::Findings] {
            assert_eq!(weighed(false, standing), standing);
        }
    }

    #[test]
    fn file_of_a_user_adds_evidence_and_cannot_replace_or_escape() {
        let map = || ControlMap::embedded().unwrap();
        let own = "[[exhibit]]\nid = 'mine'\nquestion = 'mine'\ntitle = 'M'\nshows = 'm'\n\
                   [[control]]\nframework = 'soc2'\nid = 'CC6.1'\ntitle = 'x'\nevidence = [{ exhibit = 'mine', reason = 'r' }]\n";
        let joined = map().with_text(own).unwrap();
        let soc2 = ["soc2".to_owned()];
        let control = joined.controls(&soc2).find(|control| control.id == "CC6.1").unwrap();
        assert_eq!(control.evidence.last().unwrap().exhibit, "mine");
        let failed = |text: &str| map().with_text(text).unwrap_err();
        assert_eq!(
            failed(&own.replace("'mine'", "'../mine'")),
            ControlsError::Name("../mine".to_owned())
        );
        assert_eq!(
            failed(&own.replace("id = 'mine'", "id = 'root-use'")),
            ControlsError::Twice("root-use".to_owned())
        );
        assert!(matches!(
            failed(&own.replace("'soc2'", "'soc3'")),
            ControlsError::NoFramework { .. }
        ));
        assert!(matches!(
            failed(&own.replace("question = 'mine'\n", "")),
            ControlsError::Source(_)
        ));
        assert!(matches!(failed("[[exhibits]]"), ControlsError::Unreadable(_)));
    }
}
