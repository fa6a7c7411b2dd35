//! Digest objects: log file validation is switched on for the prod account in one region on the last day.
//!
//! Hash values are true; signatures are made up, because a real one needs AWS's private key.

use super::SampleError;
use super::estate::GLOBAL_REGION;
use super::estate::LOG_BUCKET;
use super::estate::ORGANIZATION;
use super::estate::ORGANIZATION_TRAIL;
use super::estate::PROD;
use super::moment::DAY;
use super::moment::HOUR;
use super::moment::Moment;
use super::objects::FinishedObject;
use super::objects::Objects;
use super::objects::StreamKey;
use super::objects::sha256_hex;
use super::random::Random;
use super::recorder::WATCHED_REGION;
use super::tally::Tally;

/// How long an object stays open at most on the day with digests.
const SHIFT_HOURS: i64 = 6;

/// The chain of digests that is being written.
#[derive(Debug)]
pub(super) struct DigestChain {
    random: Random,
    watched: StreamKey,
    /// Objects delivered since `hour`, not yet in a digest.
    pending: Vec<FinishedObject>,
    /// Start of the hour whose digest is next.
    hour: Moment,
    end: Moment,
    previous: Option<PreviousDigest>,
}

#[derive(Debug)]
struct PreviousDigest {
    key: String,
    sha256: String,
    signature: String,
}

impl DigestChain {
    /// A chain for the day that starts at `day`.
    pub(super) fn new(day: Moment, seed: u64) -> Self {
        Self {
            random: Random::named(seed, "digest"),
            watched: StreamKey::organization(PROD.id, WATCHED_REGION),
            pending: Vec::new(),
            hour: day,
            end: day.plus(DAY),
            previous: None,
        }
    }

    /// Whether objects are to be closed between two deliveries. Small estates would otherwise fill one object a day, and
    /// the digests would have nothing to name.
    pub(super) fn ends_shift(&self, before: Moment, after: Moment) -> bool {
        let is_watched_day = after.since(self.end) < 0 && self.end.since(before) <= DAY;
        is_watched_day && before.hour() / SHIFT_HOURS != after.hour() / SHIFT_HOURS
    }

    /// Takes note of a delivered object.
    pub(super) fn observe(&mut self, object: FinishedObject) {
        if object.stream == self.watched && object.delivered >= self.hour && object.delivered < self.end {
            self.pending.push(object);
        }
    }

    /// Writes the digests of the hours that are over when objects are delivered at `now`.
    pub(super) fn advance(&mut self, now: Moment, objects: &mut Objects, tally: &mut Tally) -> Result<(), SampleError> {
        // An object that is still open is delivered at `now` or later, so its hour is not over.
        while self.hour < self.end && self.hour.plus(HOUR) <= now {
            self.write(objects, tally)?;
        }
        Ok(())
    }

    /// Writes the remaining digests.
    pub(super) fn finish(&mut self, objects: &mut Objects, tally: &mut Tally) -> Result<(), SampleError> {
        self.advance(self.end, objects, tally)
    }

    fn write(&mut self, objects: &mut Objects, tally: &mut Tally) -> Result<(), SampleError> {
        let end = self.hour.plus(HOUR);
        let key = digest_key(end);
        let (covered, later) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|object| object.delivered < end);
        self.pending = later;
        let text = self.text(&key, end, &covered).to_string();
        objects.write_whole(&key, &text, 100)?;
        tally.count_digest(covered.len());
        let signature = self.random.hex(512);
        self.previous = Some(PreviousDigest {
            key,
            sha256: sha256_hex(text.as_bytes()),
            signature,
        });
        self.hour = end;
        Ok(())
    }

    fn text(&self, key: &str, end: Moment, covered: &[FinishedObject]) -> serde_json::Value {
        let log_files: Vec<serde_json::Value> = covered
            .iter()
            .map(|object| {
                serde_json::json!({
                    "s3Bucket": LOG_BUCKET,
                    "s3Object": object.key,
                    "hashValue": object.sha256,
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": object.newest.iso(),
                    "oldestEventTime": object.oldest.iso(),
                })
            })
            .collect();
        let previous = self.previous.as_ref();
        serde_json::json!({
            "awsAccountId": PROD.id,
            "digestStartTime": self.hour.iso(),
            "digestEndTime": end.iso(),
            "digestS3Bucket": LOG_BUCKET,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": "00000000000000000000000000000000",
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": covered.iter().map(|object| object.newest).max().map(Moment::iso),
            "oldestEventTime": covered.iter().map(|object| object.oldest).min().map(Moment::iso),
            "previousDigestS3Bucket": previous.map(|_| LOG_BUCKET),
            "previousDigestS3Object": previous.map(|digest| digest.key.as_str()),
            "previousDigestHashValue": previous.map(|digest| digest.sha256.as_str()),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|digest| digest.signature.as_str()),
            "logFiles": log_files,
        })
    }
}

fn digest_key(end: Moment) -> String {
    let (account, day, stamp) = (PROD.id, end.day_folders(), end.second_stamp());
    format!(
        "AWSLogs/{ORGANIZATION}/{account}/CloudTrail-Digest/{WATCHED_REGION}/{day}/\
         {account}_CloudTrail-Digest_{WATCHED_REGION}_{ORGANIZATION_TRAIL}_{GLOBAL_REGION}_{stamp}.json.gz"
    )
}
