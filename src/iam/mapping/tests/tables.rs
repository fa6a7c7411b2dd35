//! Every row of the tables of events maps as it says.

use std::collections::BTreeMap;
use std::io::Read;

use super::*;

const EVENT_MAP: &[u8] = include_bytes!("../../../../tests/data/iam/event_map.tsv.gz");
const OBSERVED: &str = include_str!("../../../../tests/data/iam/observed_events.tsv");

/// Operations of which the table knows nothing, and which the catalogue has under another prefix of the source.
const BEYOND_THE_TABLE: [&str; 5] = [
    "CreateSession",
    "DeleteAccessPointScope",
    "GetAccessPointScope",
    "ListAccessPointsForDirectoryBuckets",
    "PutAccessPointScope",
];

/// Operations that may need more than the table says: see `FURTHER_ACTIONS` of `facts/build.py`.
const FURTHER_ACTIONS: &str = include_str!("../../../../tests/data/iam/further_actions.tsv");

/// What an operation may need beside what the table says. Rows of another service's event source know nothing of that.
fn further(operation: &str, row: &[String]) -> Vec<&'static str> {
    let mut lines = FURTHER_ACTIONS.lines().filter_map(|line| line.split_once('\t'));
    let line = lines.find(|(further, _)| *further == operation && row[7] != "foreign");
    line.map_or_else(Vec::new, |(_, actions)| actions.split(',').collect())
}

/// Rows of the event map by source and operation; several where prefixes share a source.
fn event_map() -> BTreeMap<(String, String), Vec<Vec<String>>> {
    let mut text = String::new();
    flate2::bufread::GzDecoder::new(EVENT_MAP)
        .read_to_string(&mut text)
        .unwrap();
    let mut rows: BTreeMap<(String, String), Vec<Vec<String>>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        rows.entry((cells[0].clone(), cells[1].clone()))
            .or_default()
            .push(cells);
    }
    rows
}

/// What is wrong with the mapping of one row; `alone` if no other row has the same source and operation.
fn difference(row: &[String], alone: bool) -> Option<String> {
    let outcome = facts().actions_of(&Call {
        event_source: &row[0],
        event_name: &row[1],
        ..Call::default()
    });
    let list = |cell: usize| row[cell].split(',').filter(|name| !name.is_empty()).collect::<Vec<_>>();
    let (wanted, conditional) = (list(2), list(3));
    if row[0] == "s3.amazonaws.com" && BEYOND_THE_TABLE.contains(&row[1].as_str()) {
        let is_found = names(&outcome, Class::Primary) == [format!("s3express:{}", row[1])];
        return (!is_found || row[7] != "none").then(|| "differs".to_owned());
    }
    let is_data = !facts().operation(&row[0], &row[1]).data_event_types().is_empty();
    if is_data != (row[8] == "data") {
        return Some(format!("is {} event", if is_data { "a data" } else { "a management" }));
    }
    if let Verdict::Permissionless { .. } = outcome.verdict {
        let is_fine = wanted.iter().all(|name| {
            facts()
                .find(name)
                .is_some_and(|id| facts().permissionless_reason(id).is_some())
        });
        return (!is_fine).then(|| "is permissionless".to_owned());
    }
    if !alone {
        let known: Vec<&str> = outcome.actions.iter().map(|action| &*action.name).collect();
        let missing: Vec<&&str> = wanted.iter().filter(|name| !known.contains(name)).collect();
        return (!missing.is_empty()).then(|| format!("lacks {missing:?}"));
    }
    let dependent: Vec<&str> = list(4).into_iter().chain(list(5)).collect();
    let found = (
        names(&outcome, Class::Primary),
        names(&outcome, Class::Conditional),
        names(&outcome, Class::Dependent),
    );
    let is_dependent_found = dependent
        .iter()
        .all(|name| found.2.contains(name) || found.0.contains(name) || found.1.contains(name));
    let operation = format!("{}:{}", row[2].split(':').next().unwrap_or_default(), row[1]);
    // The second version of SES sends raw messages by an operation that the first has for others.
    let is_raw_too = operation == "ses:SendEmail" && found.1 == ["ses:SendRawEmail"];
    let is_same = found.0 == wanted && (found.1 == conditional || is_raw_too) && is_dependent_found;
    // What is scaled or tagged is of many services.
    let is_scaling = operation.starts_with("application-autoscaling:") && found.2.contains(&"ecs:UpdateService");
    let is_tagging = operation.starts_with("tag:") && found.2.contains(&"sqs:TagQueue");
    let of_operation = further(&operation, row);
    let beyond = match is_scaling || is_tagging {
        true => &found.2,
        false => &of_operation,
    };
    let has_further = found.2.iter().any(|name| {
        !dependent.contains(name) && !beyond.contains(name) && !matches!(proof(&outcome, name), Proof::ForwardAccess(_))
    });
    let lacks_further = beyond
        .iter()
        .any(|name| !found.2.contains(name) && !found.1.contains(name));
    // An action of the operation's own name needs no row of its own, wherever the map has it from.
    let is_confidence = wanted.is_empty()
        || !beyond.is_empty() && outcome.confidence == Confidence::Curated
        || outcome.provenance == Provenance::Catalogue
        || outcome.confidence.name() == row[7].replace("ids", "data-set");
    let is_explained = outcome.verdict == Verdict::Actions || !outcome.verdict.reason().is_empty();
    let is_fine = is_same && !has_further && !lacks_further && is_confidence && is_explained;
    (!is_fine).then(|| format!("{found:?} {:?} {:?}", outcome.confidence, outcome.verdict))
}

#[test]
fn every_row_of_the_event_map_maps_as_it_says() {
    let rows = event_map();
    let mut wrong = Vec::new();
    for rows in rows.values() {
        for row in rows {
            wrong.extend(difference(row, rows.len() == 1).map(|difference| format!("{row:?}: {difference}")));
        }
    }
    assert!(rows.len() > 23_000);
    assert!(
        wrong.is_empty(),
        "{} rows: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
}

#[test]
fn every_observed_event_maps_or_has_a_reason() {
    for line in OBSERVED.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let outcome = facts().actions_of(&Call {
            event_type: Some(cells[2]),
            ..call(cells[0], cells[1], "{}")
        });
        assert_eq!(outcome.verdict.name(), cells[3], "{line}");
        assert_eq!(names(&outcome, Class::Primary).join(","), cells[4], "{line}");
    }
}
