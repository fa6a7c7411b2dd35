//! The planted scenes: facts that the questions of the product must find, each at a fixed place in the window.

use super::SampleError;
use super::moment::DAY;
use super::moment::HOUR;
use super::moment::MINUTE;
use super::moment::Moment;
use super::stage::Stage;

mod access;
mod faults;
mod people;
mod regions;
mod secrets;

/// A planted scene: when, and what happens then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    pub(super) time: Moment,
    pub(super) play: Play,
}

/// Plays a scene that starts at the given moment.
pub(super) type Play = fn(&mut Stage<'_>, Moment) -> Result<(), SampleError>;

/// A place in the window and what happens there: day (0 is the first), hour, minute.
type Entry = (i64, i64, i64, Play);

const SCENES: [&[Entry]; 5] = [
    &access::SCENES,
    &faults::SCENES,
    &people::SCENES,
    &regions::SCENES,
    &secrets::SCENES,
];

/// The scenes of a window of `days` days, in order of time. Scenes of later days are left out.
pub(super) fn scenes(start: Moment, days: u32) -> Vec<Scene> {
    let mut scenes: Vec<Scene> = SCENES
        .iter()
        .flat_map(|group| group.iter())
        .filter(|(day, ..)| *day < i64::from(days))
        .map(|(day, hour, minute, play)| Scene {
            time: start.plus(day * DAY + hour * HOUR + minute * MINUTE),
            play: *play,
        })
        .collect();
    scenes.sort_by_key(|scene| scene.time);
    scenes
}
