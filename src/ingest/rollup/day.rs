//! The events of one batch of one day, summed by the numbers of their texts.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use hashbrown::HashMap;

use super::Key;
use super::Need;
use super::Rollup;
use super::Tally;
use super::columns::ABSENT;
use super::events::Calls;
use super::events::Events;
use super::events::GroupCodes;
use super::smallest::Smallest;
use crate::decode::Interner;
use crate::iam::Attempt;
use crate::iam::Class;
use crate::iam::Confidence;
use crate::iam::Facts;
use crate::iam::KnownOperation;
use crate::iam::Outcome;
use crate::iam::Proof;
use crate::iam::Provenance;
use crate::iam::Reading;
use crate::iam::ResourceOrigin;
use crate::iam::UsedAction;
use crate::iam::UsedResource;
use crate::iam::Verdict;

/// What the keys of answers take before no more are kept.
const MOST_ANSWER_BYTES: usize = 4 << 20;

/// Adds the events of a batch to their rollup.
pub(super) fn sum(
    facts: &Facts,
    event_date: Option<i32>,
    batch: &RecordBatch,
    rollup: &mut Rollup,
) -> Result<(), ArrowError> {
    let events = Events::new(batch)?;
    let calls = Calls::new(&events);
    let mut day = Day {
        facts,
        events: &events,
        calls: &calls,
        operations: HashMap::new(),
        groups: HashMap::new(),
        shapes: HashMap::new(),
        cells: HashMap::new(),
        answers: HashMap::new(),
        answer_bytes: 0,
        key: Vec::new(),
    };
    for row in 0..batch.num_rows() {
        day.add(row, &mut rollup.texts);
    }
    day.hand_over(event_date, rollup);
    Ok(())
}

/// What an outcome says without the resources.
#[derive(PartialEq, Eq, Hash)]
struct Shape {
    attempt: Attempt,
    verdict: Verdict,
    confidence: Confidence,
    provenance: Provenance,
    actions: Vec<(Cow<'static, str>, Class, Proof)>,
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

/// The outcome of a call, for further calls that are like it.
struct Answer<'b> {
    shape: usize,
    /// One per action of the shape.
    resources: Vec<Vec<Resource<'b>>>,
}

/// A resource of an action.
enum Resource<'b> {
    /// By its place among those that the record names.
    Recorded(usize),
    Text(Cow<'b, str>),
}

/// An operation, and what was read of its calls, without and with recorded resources.
struct Operation {
    known: Arc<KnownOperation>,
    readings: [Reading; 2],
}

struct Day<'b> {
    facts: &'b Facts,
    events: &'b Events,
    calls: &'b Calls<'b>,
    operations: HashMap<(i32, i32), Operation>,
    groups: HashMap<GroupCodes, usize>,
    shapes: HashMap<Shape, usize>,
    cells: HashMap<(usize, usize), Cell>,
    /// By what tells that calls are alike.
    answers: HashMap<Box<[u8]>, Answer<'b>>,
    /// What the keys of the answers take.
    answer_bytes: usize,
    /// The key of the row at hand.
    key: Vec<u8>,
}

impl<'b> Day<'b> {
    fn add(&mut self, row: usize, texts: &mut Interner) {
        let events = self.events;
        let next = self.groups.len();
        let group = *self.groups.entry(events.group_codes(row)).or_insert(next);
        let operation = self.operations.entry(events.operation_codes(row));
        let operation = operation.or_insert_with(|| {
            let call = self.calls.get(row);
            Operation {
                known: self.facts.operation(call.event_source, call.event_name),
                readings: Default::default(),
            }
        });
        let call = self.calls.unnumbered(row);
        let [without, with] = &mut operation.readings;
        let reading = if call.resource_arns.is_empty() { without } else { with };
        self.key.clear();
        self.calls.write_codes(row, &mut self.key);
        let codes = self.key.len();
        operation.known.write_likeness(&call, *reading, &mut self.key);
        if let Some(answer) = self.answers.get(self.key.as_slice()) {
            let cell = cell(&mut self.cells, (group, answer.shape), (row, answer.resources.len()));
            cell.add((events, row), &answer.resources, call.resource_arns, texts);
            return;
        }
        let call = self.calls.get(row);
        let (outcome, newly_read) = self.facts.read_call(&operation.known, &call);
        let all_read = reading.and(newly_read);
        if all_read != *reading {
            *reading = all_read;
            self.key.truncate(codes);
            operation.known.write_likeness(&call, all_read, &mut self.key);
        }
        let holds_for_others = outcome.names_records_whole(&call);
        let (shape, resources) = split(outcome, call.resource_arns);
        let next = self.shapes.len();
        let answer = Answer {
            shape: *self.shapes.entry(shape).or_insert(next),
            resources,
        };
        let cell = cell(&mut self.cells, (group, answer.shape), (row, answer.resources.len()));
        cell.add((events, row), &answer.resources, call.resource_arns, texts);
        if holds_for_others && self.answer_bytes < MOST_ANSWER_BYTES {
            self.answer_bytes += self.key.len();
            self.answers.insert(self.key.as_slice().into(), answer);
        }
    }

    fn hand_over(self, event_date: Option<i32>, rollup: &mut Rollup) {
        let mut shapes: Vec<(usize, Shape)> = self.shapes.into_iter().map(|(shape, number)| (number, shape)).collect();
        shapes.sort_unstable_by_key(|(number, _)| *number);
        let needs = shapes.iter().map(|(_, shape)| shape.needs(self.facts));
        let needs: Vec<Vec<usize>> = needs
            .map(|needs| needs.into_iter().map(|need| rollup.needs.number(need)).collect())
            .collect();
        self.cells.into_iter().for_each(|((_, shape), mut cell)| {
            let mut texts = self.events.group_texts(cell.row);
            let group = std::array::from_fn(|_| {
                let text = texts.next().flatten();
                text.map_or(ABSENT, |text| rollup.texts.intern(text.as_bytes()).0)
            });
            for (position, need) in needs.get(shape).into_iter().flatten().enumerate() {
                let key = Key {
                    event_date,
                    group,
                    need: *need,
                };
                rollup.add_row(key, cell.tally(position));
            }
        });
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
    fn add(
        &mut self,
        (events, row): (&Events, usize),
        resources: &[Vec<Resource<'_>>],
        recorded: &[&str],
        texts: &mut Interner,
    ) {
        self.calls += 1;
        if let Some(time) = events.time(row) {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        for ((unnamed, smallest), arns) in self.actions.iter_mut().zip(resources) {
            *unnamed += i64::from(arns.is_empty());
            let arns = arns.iter().filter_map(|arn| arn.text(recorded));
            arns.for_each(|arn| smallest.insert(arn, texts));
        }
        let (session, name) = events.session_name(row);
        if session != self.last_session {
            self.last_session = session;
            name.into_iter().for_each(|name| self.session_names.insert(name, texts));
        }
        let (address, text) = events.key_address(row);
        if address != self.last_address {
            self.last_address = address;
            text.into_iter().for_each(|text| self.addresses.insert(text, texts));
        }
    }

    /// What the cell says of one action of its shape, or of none if it has none.
    fn tally(&mut self, position: usize) -> Tally {
        let (unnamed, resources) = match self.actions.get_mut(position) {
            Some((unnamed, resources)) => (*unnamed, std::mem::take(resources)),
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

impl<'b> Resource<'b> {
    fn new(resource: UsedResource<'b>, recorded: &[&str]) -> Self {
        let is_recorded = resource.origin == ResourceOrigin::Record;
        let place = recorded.iter().position(|arn| is_recorded && *arn == resource.arn);
        place.map_or(Self::Text(resource.arn), Self::Recorded)
    }

    fn text<'t>(&'t self, recorded: &[&'t str]) -> Option<&'t str> {
        match self {
            Self::Recorded(place) => recorded.get(*place).copied(),
            Self::Text(text) => Some(text),
        }
    }
}

impl Shape {
    /// One per action, or one without.
    fn needs(&self, facts: &Facts) -> Vec<Need> {
        let reason = self.verdict.reason();
        let outcome = Need {
            outcome: self.attempt.name(),
            verdict: self.verdict.name(),
            reason: (!reason.is_empty()).then_some(reason),
            confidence: self.confidence.name(),
            provenance: self.provenance.name(),
            ..Need::default()
        };
        let of_action = |(name, class, proof): &(Cow<'static, str>, Class, Proof)| {
            let is_proven = !matches!(proof, Proof::Possible | Proof::ForwardAccess(_));
            let known = facts.find(name).and_then(|id| facts.action(id));
            Need {
                action: Some(name.to_string()),
                class: Some(class.name()),
                is_proven: Some(is_proven),
                proof: Some(proof.text().into_owned()),
                access_level: known.map(|known| known.level.name()),
                ..outcome.clone()
            }
        };
        match self.actions.is_empty() {
            true => vec![outcome],
            false => self.actions.iter().map(of_action).collect(),
        }
    }
}

/// What an outcome says without the resources, and the resources of each of its actions.
fn split<'b>(outcome: Outcome<'b>, recorded: &[&str]) -> (Shape, Vec<Vec<Resource<'b>>>) {
    let of_action = |action: UsedAction<'b>| {
        let resources = action.resources.into_iter();
        let resources = resources.map(|resource| Resource::new(resource, recorded)).collect();
        ((action.name, action.class, action.proof), resources)
    };
    let (actions, resources) = outcome.actions.into_iter().map(of_action).unzip();
    let shape = Shape {
        attempt: outcome.attempt,
        verdict: outcome.verdict,
        confidence: outcome.confidence,
        provenance: outcome.provenance,
        actions,
    };
    (shape, resources)
}
