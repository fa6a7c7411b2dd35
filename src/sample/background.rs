//! The steady hum of the estate: walks through the window in steps of five minutes, lets workloads call in their rhythm,
//! and plays the planted scenes when their time comes.

use super::EstateConfig;
use super::SampleError;
use super::call::Call;
use super::moment::DAY;
use super::moment::MINUTE;
use super::moment::Moment;
use super::planted::Scene;
use super::session::Session;
use super::stage::Place;
use super::stage::Stage;
use super::workload;
use super::workload::Workload;

/// The length of a step, which is also how far records of one object are out of order.
const STEP: i64 = 5 * MINUTE;

/// Each further so many events a day multiply the sessions, up to a limit that keeps memory small.
const EVENTS_PER_DAY_AND_SCALE: u64 = 2_000;
const MAX_SCALE: usize = 50;

/// A workload with the sessions it holds.
struct Running {
    workload: &'static Workload,
    sessions: Vec<Option<Session>>,
}

/// Plays the whole window: about `config.events` background events, and `scenes`, which are in order of time.
///
/// # Errors
/// Fails when a log file cannot be written.
pub(super) fn play(config: &EstateConfig, stage: &mut Stage<'_>, scenes: &[Scene]) -> Result<(), SampleError> {
    let scale = scale(config);
    let mut running: Vec<Running> = workload::all()
        .into_iter()
        .map(|workload| Running::new(workload, scale))
        .collect();
    let start = Moment::start_of(config.first_day);
    let steps = i64::from(config.days) * DAY / STEP;
    let total: u128 = (0..steps)
        .map(|step| u128::from(strength(&running, start.plus(step * STEP))))
        .sum();
    let mut scenes = scenes.iter().peekable();
    let mut passed = 0_u128;
    let mut emitted = 0_u64;
    for step in 0..steps {
        let slot = start.plus(step * STEP);
        stage.recorder.advance(slot)?;
        while let Some(scene) = scenes.next_if(|scene| scene.time < slot.plus(STEP)) {
            (scene.play)(stage, scene.time)?;
        }
        let slot_strength = strength(&running, slot);
        passed += u128::from(slot_strength);
        let target = u64::try_from(u128::from(config.events) * passed / total.max(1)).unwrap_or(u64::MAX);
        while emitted < target && slot_strength > 0 {
            let before = stage.recorder.tally.events;
            step_once(&mut running, stage, slot, slot_strength)?;
            emitted += stage.recorder.tally.events - before;
        }
    }
    Ok(())
}

/// How many times more sessions run side by side than in the smallest estate. Large organizations have more instances,
/// tasks and people, not only more calls of each.
fn scale(config: &EstateConfig) -> usize {
    let events_per_day = config.events / u64::from(config.days.max(1));
    usize::try_from(events_per_day / EVENTS_PER_DAY_AND_SCALE)
        .unwrap_or(MAX_SCALE)
        .clamp(1, MAX_SCALE)
}

fn strength(running: &[Running], slot: Moment) -> u64 {
    running.iter().map(|running| running.strength(slot)).sum()
}

/// One call of one workload, after a new session if it needs one.
fn step_once(running: &mut [Running], stage: &mut Stage<'_>, slot: Moment, total: u64) -> Result<(), SampleError> {
    let mut ticket = stage.random.below(total);
    for candidate in running {
        let strength = candidate.strength(slot);
        if ticket < strength {
            return candidate.step(stage, slot);
        }
        ticket -= strength;
    }
    Ok(())
}

impl Running {
    fn new(workload: &'static Workload, scale: usize) -> Self {
        Self {
            workload,
            sessions: (0..workload.sessions * scale).map(|_| None).collect(),
        }
    }

    fn strength(&self, slot: Moment) -> u64 {
        self.workload.weight * self.workload.rhythm.strength(slot)
    }

    fn step(&mut self, stage: &mut Stage<'_>, slot: Moment) -> Result<(), SampleError> {
        let seconds = stage.random.between(0, 299);
        let time = slot.plus(i64::try_from(seconds).unwrap_or(0));
        let count = u64::try_from(self.sessions.len()).unwrap_or(0);
        let index = usize::try_from(stage.random.below(count)).unwrap_or(0);
        let Some(place) = self.sessions.get_mut(index) else {
            return Ok(());
        };
        if !place.as_ref().is_some_and(|session| session.is_usable(time)) {
            let session = stage.open(self.workload, place.as_ref(), time)?;
            *place = Some(session);
        }
        match (place, pick(self.workload, stage)) {
            (Some(session), Some(call)) => {
                session.spend();
                stage.call(&session.caller, call, Place::new(session.region, time))
            }
            _ => Ok(()),
        }
    }
}

fn pick(workload: &'static Workload, stage: &mut Stage<'_>) -> Option<&'static Call> {
    let total: u64 = workload.calls.iter().map(|(weight, _)| weight).sum();
    let mut ticket = stage.random.below(total);
    for (weight, call) in workload.calls {
        if ticket < *weight {
            return Some(call);
        }
        ticket -= weight;
    }
    None
}
