//! The events of one batch of one day, summed by the numbers of their texts.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::hash::Hasher;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use hashbrown::DefaultHashBuilder;
use hashbrown::HashMap;

use super::Key;
use super::Need;
use super::Tally;
use super::columns::ABSENT;
use super::events::Events;
use super::events::GroupCodes;
use super::smallest::Smallest;
use crate::iam::Attempt;
use crate::iam::Class;
use crate::iam::Facts;
use crate::iam::KnownOperation;
use crate::iam::Outcome;
use crate::iam::Proof;
use crate::iam::UsedAction;

/// Answers that are kept for calls that are alike.
const MOST_ANSWERS: usize = 1 << 15;

/// Sums the events of a batch.
pub(super) fn sum(
    facts: &Facts,
    event_date: Option<i32>,
    batch: &RecordBatch,
) -> Result<BTreeMap<Key, Tally>, ArrowError> {
    let events = Events::new(batch)?;
    let mut day = Day {
        facts,
        events: &events,
        operations: HashMap::new(),
        groups: HashMap::new(),
        shapes: HashMap::new(),
        cells: HashMap::new(),
        answers: HashMap::new(),
        hasher: DefaultHashBuilder::default(),
    };
    for row in 0..batch.num_rows() {
        day.add(row);
    }
    Ok(day.rows(event_date))
}

/// What an outcome says without the resources.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shape {
    outcome: Need,
    actions: Vec<(String, Class, Proof)>,
}

/// The events of a group whose outcomes have one shape.
struct Cell {
    /// A row of the group.
    row: usize,
    calls: i64,
    times: Option<(i64, i64)>,
    /// One per action of the shape.
    actions: Vec<(i64, Smallest)>,
    session_names: Smallest,
    addresses: Smallest,
    /// What was inserted last: most calls are like the one before.
    last_session: i32,
    last_address: i32,
}

/// The outcome of a call, for further calls that are alike.
struct Answer {
    row: usize,
    shape: usize,
    /// One per action of the shape.
    resources: Vec<Vec<String>>,
}

struct Day<'b> {
    facts: &'b Facts,
    events: &'b Events,
    operations: HashMap<(i32, i32), KnownOperation>,
    groups: HashMap<GroupCodes, usize>,
    shapes: HashMap<Shape, usize>,
    cells: HashMap<(usize, usize), Cell>,
    answers: HashMap<u64, Answer>,
    hasher: DefaultHashBuilder,
}

impl Day<'_> {
    fn add(&mut self, row: usize) {
        let events = self.events;
        let next = self.groups.len();
        let group = *self.groups.entry(events.group_codes(row)).or_insert(next);
        let mut hasher = self.hasher.build_hasher();
        events.hash_call(row, &mut hasher);
        let hash = hasher.finish();
        let is_known = self
            .answers
            .get(&hash)
            .is_some_and(|answer| events.are_alike(answer.row, row));
        if is_known {
            if let Some(answer) = self.answers.get(&hash) {
                let cell = cell(&mut self.cells, (group, answer.shape), (row, answer.resources.len()));
                cell.add(events, row, &answer.resources);
            }
            return;
        }
        let answer = self.answer(row);
        let cell = cell(&mut self.cells, (group, answer.shape), (row, answer.resources.len()));
        cell.add(events, row, &answer.resources);
        if self.answers.len() < MOST_ANSWERS {
            self.answers.insert(hash, answer);
        }
    }

    /// Asks the facts.
    fn answer(&mut self, row: usize) -> Answer {
        let facts = self.facts;
        let known = self.operations.entry(self.events.operation_codes(row));
        let outcome = self.events.ask(row, |call| {
            let operation = known.or_insert_with(|| facts.operation(call.event_source, call.event_name));
            facts.actions_of_operation(operation, call)
        });
        let (shape, resources) = split(outcome);
        let next = self.shapes.len();
        Answer {
            row,
            shape: *self.shapes.entry(shape).or_insert(next),
            resources,
        }
    }

    fn rows(self, event_date: Option<i32>) -> BTreeMap<Key, Tally> {
        let mut shapes: Vec<(usize, Shape)> = self.shapes.into_iter().map(|(shape, number)| (number, shape)).collect();
        shapes.sort_unstable_by_key(|(number, _)| *number);
        let mut cells: Vec<((usize, usize), Cell)> = self.cells.into_iter().collect();
        cells.sort_unstable_by_key(|(place, _)| *place);
        let mut rows: BTreeMap<Key, Tally> = BTreeMap::new();
        for ((_, shape), cell) in cells {
            let Some((_, shape)) = shapes.get(shape) else {
                continue;
            };
            let texts = self.events.group_texts(cell.row);
            for (position, need) in shape.needs(self.facts).into_iter().enumerate() {
                let key = Key {
                    event_date,
                    texts: texts.clone(),
                    need,
                };
                rows.entry(key).or_default().merge(&cell.tally(position));
            }
        }
        rows
    }
}

fn cell(cells: &mut HashMap<(usize, usize), Cell>, place: (usize, usize), (row, actions): (usize, usize)) -> &mut Cell {
    cells.entry(place).or_insert_with(|| Cell {
        row,
        calls: 0,
        times: None,
        actions: vec![(0, Smallest::default()); actions],
        session_names: Smallest::default(),
        addresses: Smallest::default(),
        last_session: ABSENT,
        last_address: ABSENT,
    })
}

impl Cell {
    fn add(&mut self, events: &Events, row: usize, resources: &[Vec<String>]) {
        self.calls += 1;
        if let Some(time) = events.time(row) {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        for ((unnamed, smallest), arns) in self.actions.iter_mut().zip(resources) {
            *unnamed += i64::from(arns.is_empty());
            arns.iter().for_each(|arn| smallest.insert(arn));
        }
        let (session, name) = events.session_name(row);
        if session != self.last_session {
            self.last_session = session;
            name.into_iter().for_each(|name| self.session_names.insert(name));
        }
        let (address, text) = events.key_address(row);
        if address != self.last_address {
            self.last_address = address;
            text.into_iter().for_each(|text| self.addresses.insert(text));
        }
    }

    /// What the cell says of one action of its shape, or of none if it has none.
    fn tally(&self, position: usize) -> Tally {
        let (unnamed, resources) = match self.actions.get(position) {
            Some((unnamed, resources)) => (*unnamed, resources.clone()),
            None => (self.calls, Smallest::default()),
        };
        Tally {
            calls: self.calls,
            events: if position == 0 { self.calls } else { 0 },
            unnamed,
            times: self.times,
            resources,
            session_names: self.session_names.clone(),
            addresses: self.addresses.clone(),
        }
    }
}

impl Shape {
    /// One per action, or one without.
    fn needs(&self, facts: &Facts) -> Vec<Need> {
        let of_action = |(name, class, proof): &(String, Class, Proof)| {
            let is_proven = !matches!(proof, Proof::Possible | Proof::ForwardAccess(_));
            let known = facts.find(name).and_then(|id| facts.action(id));
            Need {
                action: Some(name.clone()),
                class: Some(class.name()),
                is_proven: Some(is_proven),
                proof: Some(proof.text()),
                access_level: known.map(|known| known.level.name()),
                ..self.outcome.clone()
            }
        };
        match self.actions.is_empty() {
            true => vec![self.outcome.clone()],
            false => self.actions.iter().map(of_action).collect(),
        }
    }
}

/// What an outcome says without the resources, and the resources of each of its actions.
fn split(outcome: Outcome) -> (Shape, Vec<Vec<String>>) {
    let reason = outcome.verdict.reason();
    let need = Need {
        outcome: Attempt::name(outcome.attempt),
        verdict: outcome.verdict.name(),
        reason: (!reason.is_empty()).then_some(reason),
        confidence: outcome.confidence.name(),
        provenance: outcome.provenance.name(),
        ..Need::default()
    };
    let of_action = |action: UsedAction| {
        let resources = action.resources.into_iter().map(|resource| resource.arn).collect();
        ((action.name.into_owned(), action.class, action.proof), resources)
    };
    let (actions, resources) = outcome.actions.into_iter().map(of_action).unzip();
    (Shape { outcome: need, actions }, resources)
}
