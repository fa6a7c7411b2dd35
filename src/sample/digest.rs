//! Digest objects: log file validation is switched on for the prod account in one region on the last day.
//!
//! Hash values and signatures are true, by a key pair that was made up for this estate: AWS's private key is not ours.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RsaKeyPair;

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
use super::objects::hex;
use super::objects::sha256_hex;
use super::recorder::WATCHED_REGION;
use super::tally::Tally;

/// How long an object stays open at most on the day with digests.
const SHIFT_HOURS: i64 = 6;
/// The private key, which is no secret: it signs nothing but made-up logs.
const MADE_UP_KEY: &[u8] = include_bytes!("made_up_key.der");
/// Its public half as `aws cloudtrail list-public-keys` gives keys, and the fingerprint of that.
const PUBLIC_KEY: &str = "MIIBCgKCAQEAqT1/qK+ddwDNnORsfI+6slOLVemm9aEP3y4iqWD7DJ/mAcEALpHHQMtjXnlK/hggdkpB0Va8yHc7qjLkaMxhw2giaMxnkBVqsc2zCBtzz5x0C5PFjjhOZjXg6wzuHSBcshz/qq10K0uPSw06zDUXscovFLUZmQnkOPadLJ/aH+VLZdW4uORY8KxYIQ0uD4uYwY5qyXx/WVXm9Tbm4Oofo0aqEdCrX6PSENdVLmiZ4YrG0OBzIyWrNn3DPNal9Wr6viT93rUhPV2oKjdZZ3Jk9xAnkOXTHIYu0NYIrxcdrAsEVj0xyIi6Uh84Uud2Lge9i7qbnv5gBzB8QdqZK0zdAwIDAQAB";
const FINGERPRINT: &str = "096a5117996894e05bd8f9690ece3fab";
/// Days around the digests for which the key is valid.
const KEY_DAYS: i64 = 15;

/// The chain of digests that is being written.
#[derive(Debug)]
pub(super) struct DigestChain {
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
    pub(super) fn new(day: Moment) -> Self {
        Self {
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

    /// Writes the remaining digests, and the key.
    pub(super) fn finish(&mut self, objects: &mut Objects, tally: &mut Tally) -> Result<(), SampleError> {
        let day = self.end.plus(-DAY);
        self.advance(self.end, objects, tally)?;
        let keys = serde_json::json!({"PublicKeyList": [{
            "Value": PUBLIC_KEY,
            "ValidityStartTime": day.plus(-KEY_DAYS * DAY).iso(),
            "ValidityEndTime": day.plus(KEY_DAYS * DAY).iso(),
            "Fingerprint": FINGERPRINT,
        }]});
        objects.write_file("public-keys.json", format!("{keys:#}\n").as_bytes())
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
        let signature = self.sign(&key, end, &text)?;
        let head = serde_json::json!({"Metadata": {"signature": signature, "signature-algorithm": "SHA256withRSA"}});
        objects.write_file(&format!("{key}.meta.json"), format!("{head}\n").as_bytes())?;
        self.previous = Some(PreviousDigest {
            key,
            sha256: sha256_hex(text.as_bytes()),
            signature,
        });
        self.hour = end;
        Ok(())
    }

    /// Signs what CloudTrail signs.
    fn sign(&self, key: &str, end: Moment, text: &str) -> Result<String, SampleError> {
        let previous = self
            .previous
            .as_ref()
            .map_or("null", |digest| digest.signature.as_str());
        let hash = sha256_hex(text.as_bytes());
        let message = format!("{}\n{LOG_BUCKET}/{key}\n{hash}\n{previous}", end.iso());
        let pair = RsaKeyPair::from_der(MADE_UP_KEY).map_err(|_| SampleError::Signature)?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )
        .map_err(|_| SampleError::Signature)?;
        Ok(hex(&signature))
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
            "digestPublicKeyFingerprint": FINGERPRINT,
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
