//! What goes wrong with log files: late, cut, unreadable, in the wrong folder; and the objects that hold no events.

use super::super::SampleError;
use super::super::assume::Assumption;
use super::super::call::Call;
use super::super::caller::Caller;
use super::super::caller::SessionFacts;
use super::super::estate::GLOBAL_REGION;
use super::super::event::Event;
use super::super::moment::DAY;
use super::super::moment::Moment;
use super::super::recorder::WATCHED_REGION;
use super::super::stage::Place;
use super::super::stage::Stage;
use super::super::summaries;
use super::super::workload::GO;
use super::super::workload::compute::CHECKOUT_API;
use super::super::workload::other_accounts::SANDBOX_APP_ROLE;
use super::super::workload::people::ADMINISTRATOR_PROD;
use super::Entry;

pub(super) const SCENES: [Entry; 8] = [
    (2, 8, 0, insight_objects),
    (3, 14, 0, aggregated_objects),
    (5, 12, 0, network_activity_objects),
    (5, 17, 0, corrupt_object),
    (6, 9, 20, bad_record),
    (6, 13, 0, record_in_another_regions_folder),
    (8, 6, 0, late_object),
    (10, 14, 0, network_activity_objects),
];

/// How many days the late object is late, and how many records it holds.
const DAYS_LATE: i64 = 5;
const LATE_RECORDS: i64 = 12;
const CORRUPT_RECORDS: i64 = 20;

fn insight_objects(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let records = summaries::insight_pair(&mut stage.random, time);
    stage
        .recorder
        .write_other("CloudTrail-Insight", "insight", time, &records)
}

fn aggregated_objects(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let records = summaries::aggregated(&mut stage.random, time);
    stage
        .recorder
        .write_other("CloudTrail-Aggregated", "aggregated", time, &records)
}

fn network_activity_objects(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let records = summaries::network_activity(&mut stage.random, time);
    stage
        .recorder
        .write_other("CloudTrail-NetworkActivity", "network-activity", time, &records)
}

/// An object whose upload stopped in the middle. Nothing planted is in it.
fn corrupt_object(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let events = sandbox_events(stage, "eu-central-1", time.plus(-600), CORRUPT_RECORDS);
    stage.recorder.write_corrupt(&events, "eu-central-1", time)
}

/// One bad record inside a good object.
fn bad_record(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&CHECKOUT_API, None, time)?;
    let call = Call::read("ec2", "DescribeTags").request(r#"{"maxResults":5,"filterSet":{}}"#);
    let place = Place::new(WATCHED_REGION, time.plus(2));
    stage.call(&session.caller, &call, place)?;
    let mut event = stage.event(&session.caller, &call, place);
    event.agent = "aws-sdk-java/BAD".to_owned();
    stage.recorder.record_bad(&event)
}

/// A single-region trail writes global events into the folder of its own region.
fn record_in_another_regions_folder(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    let calls = [
        Call::read("iam", "ListUsers").request(r#"{"maxItems":100}"#),
        Call::read("iam", "GetAccountSummary"),
    ];
    for (seconds, call) in (60..).step_by(15).zip(&calls) {
        let event = stage.event(&session.caller, call, Place::new(GLOBAL_REGION, time.plus(seconds)));
        stage.recorder.tally.note_foreign_region(&event, WATCHED_REGION);
        stage.recorder.record_in(&event, WATCHED_REGION)?;
    }
    Ok(())
}

/// The bucket was out of reach for days; the records come with an addendum.
fn late_object(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let happened = time.plus(-DAYS_LATE * DAY);
    let mut events = sandbox_events(stage, "us-west-2", happened, LATE_RECORDS);
    for event in &mut events {
        event.addendum_json = Some(r#"{"reason":"DELIVERY_DELAY"}"#.to_owned());
    }
    stage.recorder.write_late(&events, "us-west-2", time)
}

/// Calls of the dev account's application, one a minute.
fn sandbox_events(stage: &mut Stage<'_>, region: &str, from: Moment, count: i64) -> Vec<Event> {
    let name = format!("i-0{}", stage.random.hex(16));
    let key = stage.temporary_key();
    let assumption = Assumption {
        role: &SANDBOX_APP_ROLE,
        session_name: &name,
        place: Place::new(region, from),
    };
    let facts = SessionFacts {
        from_instance_metadata: true,
        ..assumption.session(&key)
    };
    let caller = Caller::session(&SANDBOX_APP_ROLE, &facts).from("10.30.4.17", GO);
    let call = Call::read("ec2", "DescribeInstances").request(r#"{"instancesSet":{},"filterSet":{}}"#);
    (0..count)
        .map(|minute| stage.event(&caller, &call, Place::new(region, from.plus(minute * 60))))
        .collect()
}
