//! Logs of one account with true digests, signed by the made-up key of the sample.

use std::io::Write;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RsaKeyPair;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::ToSpan;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

/// The account of the logs.
pub(crate) const ACCOUNT: &str = "111122223333";

const KEY: &[u8] = include_bytes!("../../../src/sample/made_up_key.der");
const BUCKET: &str = "example-logs";

/// A chain of digests of one region.
struct Chain<'f> {
    folder: &'f Path,
    region: &'f str,
    /// Calls of each log.
    calls: &'f [Call],
    /// Key, hash and signature of the last one.
    previous: Option<[String; 3]>,
}

/// How long after a call its log is delivered: the log of an hour's first minutes holds a call of the hour before.
const DELIVERY_MINUTES: i64 = 10;

/// A call of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
}

/// Writes an hour before, the hours, and one after them, each with a log of some calls and a digest, below `AWSLogs`; and the keys.
pub(crate) fn write_hours(folder: &Path, regions: &[&str], calls: &[Call], first: Timestamp, hours: i64) {
    for region in regions {
        let mut chain = Chain {
            folder,
            region,
            calls,
            previous: None,
        };
        for hour in -1..=hours {
            chain.write_hour(first + hour.hours());
        }
    }
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-logs/public-keys.json");
    let mut keys: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
    keys["PublicKeyList"][0]["ValidityStartTime"] = (first - 48.hours()).to_string().into();
    keys["PublicKeyList"][0]["ValidityEndTime"] = (first + 48.hours()).to_string().into();
    std::fs::write(folder.join("keys.json"), keys.to_string()).unwrap();
}

/// Writes a log of one call; its key and its hash.
pub(crate) fn write_log(folder: &Path, region: &str, at: Timestamp, id: &str) -> (String, String) {
    write_delivered(folder, region, &[Call::Read], (at, at), id)
}

/// The same of a log that was delivered after its calls.
fn write_delivered(
    folder: &Path,
    region: &str,
    calls: &[Call],
    (delivered, at): (Timestamp, Timestamp),
    id: &str,
) -> (String, String) {
    let record = |call: &Call| {
        let (service, name, event_id) = match call {
            Call::Read => ("sts", "GetCallerIdentity", format!("{region}-{id}")),
            Call::Write => ("sqs", "CreateQueue", format!("{region}-{id}-write")),
        };
        json!({
            "eventVersion": "1.11", "eventTime": at.to_string(), "eventName": name, "awsRegion": region,
            "eventSource": format!("{service}.amazonaws.com"), "eventID": event_id, "readOnly": *call == Call::Read,
            "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true, "recipientAccountId": ACCOUNT,
            "userAgent": "a", "sourceIPAddress": "203.0.113.10",
            "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::{ACCOUNT}:user/u"), "accountId": ACCOUNT,
                             "principalId": "AIDAEXAMPLE", "userName": "u"},
        })
    };
    let records: Vec<Value> = calls.iter().map(record).collect();
    let text = json!({"Records": records}).to_string();
    let key = format!(
        "AWSLogs/{ACCOUNT}/CloudTrail/{region}/{}/{ACCOUNT}_CloudTrail_{region}_{}_{id:0>16}.json.gz",
        delivered.strftime("%Y/%m/%d"),
        delivered.strftime("%Y%m%dT%H%MZ")
    );
    write_gzip(&folder.join(&key), &text);
    (key, sha256(&text))
}

impl Chain<'_> {
    fn write_hour(&mut self, start: Timestamp) {
        let end = start + 1.hour();
        let delivered = start + 5.minutes();
        let at = delivered - DELIVERY_MINUTES.minutes();
        let id = start.strftime("%d%H").to_string();
        let (log, log_hash) = write_delivered(self.folder, self.region, self.calls, (delivered, at), &id);
        let key = format!(
            "AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/{}/{ACCOUNT}_CloudTrail-Digest_{region}_trail_us-east-1_{}.json.gz",
            end.strftime("%Y/%m/%d"),
            end.strftime("%Y%m%dT%H%M%SZ"),
            region = self.region,
        );
        let previous = |position: usize| self.previous.as_ref().map(|previous| previous[position].clone());
        let text = json!({
            "awsAccountId": ACCOUNT,
            "digestStartTime": start.to_string(),
            "digestEndTime": end.to_string(),
            "digestS3Bucket": BUCKET,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": "096a5117996894e05bd8f9690ece3fab",
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": at.to_string(),
            "oldestEventTime": at.to_string(),
            "previousDigestS3Bucket": self.previous.as_ref().map(|_| BUCKET),
            "previousDigestS3Object": previous(0),
            "previousDigestHashValue": previous(1),
            "previousDigestHashAlgorithm": self.previous.as_ref().map(|_| "SHA-256"),
            "previousDigestSignature": previous(2),
            "logFiles": [{
                "s3Bucket": BUCKET, "s3Object": log, "hashValue": log_hash, "hashAlgorithm": "SHA-256",
                "newestEventTime": at.to_string(), "oldestEventTime": at.to_string(),
            }],
        });
        let text = text.to_string();
        let hash = sha256(&text);
        let before = previous(2).unwrap_or_else(|| "null".to_owned());
        let signature = sign(&format!("{end}\n{BUCKET}/{key}\n{hash}\n{before}"));
        write_gzip(&self.folder.join(&key), &text);
        let head = json!({"Metadata": {"signature": signature, "signature-algorithm": "SHA256withRSA"}});
        std::fs::write(self.folder.join(format!("{key}.meta.json")), head.to_string()).unwrap();
        self.previous = Some([key, hash, signature]);
    }
}

fn write_gzip(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    std::fs::write(path, encoder.finish().unwrap()).unwrap();
}

fn sign(message: &str) -> String {
    let pair = RsaKeyPair::from_der(KEY).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    hex(&signature)
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
