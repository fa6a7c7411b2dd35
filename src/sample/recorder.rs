//! Where every record goes: into its stream, into the tally, and into the copies that the planted faults need.

use std::path::Path;

use serde_json::Value;

use super::EstateConfig;
use super::SampleError;
use super::digest::DigestChain;
use super::estate::PROD;
use super::event::Event;
use super::moment::DAY;
use super::moment::HOUR;
use super::moment::MINUTE;
use super::moment::Moment;
use super::objects::Objects;
use super::objects::StreamKey;
use super::tally::Tally;

/// The day and hours in which a second trail of the prod account writes into the same bucket.
const SECOND_TRAIL_DAY: i64 = 4;
const SECOND_TRAIL_HOURS: (i64, i64) = (10, 12);
/// The region whose digests are written, and where the second trail runs.
pub(super) const WATCHED_REGION: &str = "eu-west-1";

/// Writes records and counts them.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) objects: Objects,
    pub(super) tally: Tally,
    digests: DigestChain,
    second_trail: (Moment, Moment),
    /// When records are delivered that are written at the moment.
    delivery: Moment,
}

impl Recorder {
    /// A recorder that writes below `out_dir`.
    ///
    /// # Errors
    /// Fails when the folder cannot be made.
    pub(super) fn create(config: &EstateConfig, out_dir: &Path) -> Result<Self, SampleError> {
        let start = Moment::start_of(config.first_day);
        let second_trail_day = start.plus(SECOND_TRAIL_DAY * DAY);
        let (from_hour, to_hour) = SECOND_TRAIL_HOURS;
        let last_day = start.plus((i64::from(config.days) - 1) * DAY);
        Ok(Self {
            objects: Objects::create(out_dir, config.object_size, config.seed)?,
            tally: Tally::new(config),
            digests: DigestChain::new(last_day),
            second_trail: (
                second_trail_day.plus(from_hour * HOUR),
                second_trail_day.plus(to_hour * HOUR),
            ),
            delivery: start,
        })
    }

    /// Moves on to the records of the five minutes that start at `slot`; they are delivered five minutes after these.
    ///
    /// # Errors
    /// Fails when a digest cannot be written.
    pub(super) fn advance(&mut self, slot: Moment) -> Result<(), SampleError> {
        let delivery = slot.plus(10 * MINUTE);
        // The day in an object's key is the day of its delivery.
        if delivery.date() != self.delivery.date() || self.digests.ends_shift(self.delivery, delivery) {
            self.objects.close_all(self.delivery)?;
        }
        self.delivery = delivery;
        self.settle();
        self.digests.advance(self.delivery, &mut self.objects, &mut self.tally)
    }

    /// Writes a record where CloudTrail would deliver it.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn record(&mut self, event: &Event) -> Result<(), SampleError> {
        let region = event.region.clone();
        self.record_in(event, &region)
    }

    /// Writes a record into the files of another region, as a single-region trail does with global events.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn record_in(&mut self, event: &Event, path_region: &str) -> Result<(), SampleError> {
        let json = event.json();
        let key = StreamKey::organization(&event.account, path_region);
        self.objects.append(&key, json.as_bytes(), event.time, self.delivery)?;
        self.tally.count(event);
        if event.time.date() != self.delivery.date() {
            self.tally.note_foreign_day();
        }
        let (from, until) = self.second_trail;
        let is_doubled =
            event.account == PROD.id && path_region == WATCHED_REGION && event.time >= from && event.time < until;
        if is_doubled {
            let second = StreamKey {
                organization_trail: false,
                ..key
            };
            self.objects
                .append(&second, json.as_bytes(), event.time, self.delivery)?;
            self.tally.count_duplicate();
        }
        Ok(())
    }

    /// Writes a record that is not valid JSON: a raw control character stands in its user agent.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn record_bad(&mut self, event: &Event) -> Result<(), SampleError> {
        let json = event.json().replace("BAD", "\u{1}");
        let key = StreamKey::organization(&event.account, &event.region);
        self.objects.mark_next_bad(&key);
        self.objects.append(&key, json.as_bytes(), event.time, self.delivery)
    }

    /// Writes an object of the prod account that holds no events. Aggregates are a bare array, everything else stands in `Records`.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn write_other(
        &mut self,
        folder: &str,
        kind: &'static str,
        time: Moment,
        records: &[Value],
    ) -> Result<(), SampleError> {
        let delivered = time.plus(5 * MINUTE).next_delivery();
        let key = self.object_key(&StreamKey::organization(PROD.id, WATCHED_REGION), folder, delivered);
        let list = Value::from(records);
        let text = if kind == "aggregated" {
            list
        } else {
            serde_json::json!({ "Records": list })
        };
        self.objects.write_whole(&key, &text.to_string(), 100)?;
        self.tally.count_other(kind, u64::try_from(records.len()).unwrap_or(0));
        Ok(())
    }

    /// Writes one object of its own, delivered at `delivered` however old its events are.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn write_late(&mut self, events: &[Event], region: &str, delivered: Moment) -> Result<(), SampleError> {
        let Some(first) = events.first() else {
            return Ok(());
        };
        let key = self.object_key(
            &StreamKey::organization(&first.account, region),
            "CloudTrail",
            delivered,
        );
        let gzip_bytes = self.objects.write_whole(&key, &records_text(events), 100)?;
        for event in events {
            self.tally.count(event);
            self.tally.note_foreign_day();
        }
        self.tally.count_late(&key, events.len(), gzip_bytes);
        Ok(())
    }

    /// Writes an object that ends before its first whole record. Its events are not counted: no reader can get them.
    ///
    /// # Errors
    /// Fails when the object cannot be written.
    pub(super) fn write_corrupt(
        &mut self,
        events: &[Event],
        region: &str,
        delivered: Moment,
    ) -> Result<(), SampleError> {
        let Some(first) = events.first() else {
            return Ok(());
        };
        let key = self.object_key(
            &StreamKey::organization(&first.account, region),
            "CloudTrail",
            delivered,
        );
        self.objects.write_whole(&key, &records_text(events), 10)?;
        self.tally.count_corrupt(&key, events.len());
        Ok(())
    }

    fn object_key(&mut self, stream: &StreamKey, folder: &str, delivered: Moment) -> String {
        format!(
            "{}_{}.json.gz",
            stream.object_key(folder, delivered),
            self.objects.unique_part()
        )
    }

    /// Closes all objects and writes the remaining digests.
    ///
    /// # Errors
    /// Fails when an object cannot be written.
    pub(super) fn finish(&mut self) -> Result<(), SampleError> {
        self.objects.close_all(self.delivery)?;
        self.settle();
        self.digests.finish(&mut self.objects, &mut self.tally)
    }

    /// Tells the tally and the digests about finished objects.
    fn settle(&mut self) {
        for object in self.objects.take_finished() {
            self.tally.count_object(&object);
            self.digests.observe(object);
        }
    }
}

fn records_text(events: &[Event]) -> String {
    let records: Vec<String> = events.iter().map(Event::json).collect();
    format!("{{\"Records\":[{}]}}", records.join(","))
}
