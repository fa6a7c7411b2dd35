//! Trees of digests and logs for tests, built from the descriptions that `tests/oracle/digests/make.py` makes.
//!
//! Both build the same bytes: gzip is written without compression and signatures have no randomness. Each description
//! carries a sum that proves it.

mod changes;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::HashMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RSA_PKCS1_SHA512;
use aws_lc_rs::signature::RsaKeyPair;
use md5::Digest as _;
use md5::Md5;
use serde_json::Value;
use serde_json::json;

use changes::change_bytes;
use changes::changed_content;
pub(super) use changes::stored_gzip;

use super::signature::hex;
use super::signature::sha256_hex;
use crate::event::decode_base64;
use crate::event::format_canonical;
use crate::event::parse_event_time;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
pub(super) const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/digests");

pub(super) type Spot = (String, String);

/// The two keys of the tests.
pub(super) struct TestKeys {
    pub(super) keys: Vec<TestKey>,
    signatures: RefCell<HashMap<(String, usize, bool), String>>,
}

pub(super) struct TestKey {
    pair: RsaKeyPair,
    pub(super) pkcs1: String,
    pub(super) spki: String,
    pub(super) fingerprint: String,
}

/// What all descriptions share.
pub(super) struct Header {
    start: i64,
    buckets: Vec<String>,
    layouts: Vec<Layout>,
    validity: [String; 2],
}

#[derive(Clone, Default)]
struct Layout {
    prefix: String,
    organization: String,
    account: String,
    region: String,
    home: String,
    trail: String,
}

#[derive(Clone)]
struct Previous {
    spot: Spot,
    hash: String,
    signature: String,
}

/// Objects by bucket and key, their content, and short names for them.
pub(super) struct Tree<'k> {
    header: &'k Header,
    layout: Layout,
    keys: &'k TestKeys,
    pub(super) objects: BTreeMap<Spot, (Vec<u8>, BTreeMap<String, String>)>,
    contents: BTreeMap<Spot, Vec<u8>>,
    names: Vec<(Spot, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn iso(moment: i64) -> String {
    format_canonical(moment).unwrap()
}

impl TestKeys {
    pub(super) fn load() -> Self {
        let file = std::fs::read(format!("{DATA}/keys.json")).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        let keys = file["keys"].as_array().unwrap().iter().map(|key| {
            let pkcs1 = text(&key["pkcs1"]);
            TestKey {
                pair: RsaKeyPair::from_der(&decode_base64(key["private"].as_str().unwrap()).unwrap()).unwrap(),
                fingerprint: hex(&Md5::digest(decode_base64(&pkcs1).unwrap())),
                pkcs1,
                spki: text(&key["spki"]),
            }
        });
        Self {
            keys: keys.collect(),
            signatures: RefCell::default(),
        }
    }

    fn sign(&self, message: String, key: usize, is_sha512: bool) -> String {
        let known = (message, key, is_sha512);
        if let Some(signature) = self.signatures.borrow().get(&known) {
            return signature.clone();
        }
        let pair = &self.keys[key].pair;
        let mut signature = vec![0; pair.public_modulus_len()];
        let padding = if is_sha512 {
            &RSA_PKCS1_SHA512
        } else {
            &RSA_PKCS1_SHA256
        };
        pair.sign(padding, &SystemRandom::new(), known.0.as_bytes(), &mut signature)
            .unwrap();
        let signature = hex(&signature);
        self.signatures.borrow_mut().insert(known, signature.clone());
        signature
    }

    /// What `list-public-keys` prints, with each key in the state that the description says.
    pub(super) fn listed(&self, spec: &Value, header: &Header) -> String {
        let mut listed = Vec::new();
        for (index, key) in self.keys.iter().enumerate() {
            let state = spec["keys"][index].as_str().unwrap_or("ok");
            let value = match state {
                "missing" => continue,
                "swapped" => self.keys[1 - index].pkcs1.clone(),
                "garbage" => "bm8ga2V5IGF0IGFsbA==".to_owned(),
                "spki" => key.spki.clone(),
                _ => key.pkcs1.clone(),
            };
            let [from, to] = match state {
                "expired" => ["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"],
                _ => [header.validity[0].as_str(), header.validity[1].as_str()],
            };
            listed.push(json!({
                "Value": value, "ValidityStartTime": from, "ValidityEndTime": to, "Fingerprint": key.fingerprint,
            }));
        }
        json!({ "PublicKeyList": listed }).to_string()
    }
}

impl Header {
    pub(super) fn read(line: &str) -> Self {
        let header: Value = serde_json::from_str(line).unwrap();
        let texts = |value: &Value| -> Vec<String> { value.as_array().unwrap().iter().map(text).collect() };
        let layouts = header["layouts"].as_array().unwrap().iter().map(|layout| Layout {
            prefix: text(&layout["prefix"]),
            organization: text(&layout["organization"]),
            account: text(&layout["account"]),
            region: text(&layout["region"]),
            home: text(&layout["home"]),
            trail: text(&layout["trail"]),
        });
        Self {
            start: parse_event_time(header["start"].as_str().unwrap())
                .unwrap()
                .microseconds,
            buckets: texts(&header["buckets"]),
            layouts: layouts.collect(),
            validity: texts(&header["validity"]).try_into().unwrap(),
        }
    }
}

fn made_odd(mut previous: Previous, odd: &str) -> Previous {
    match odd {
        "prevhash" => previous.hash = "f".repeat(64),
        "prevsig" => previous.signature = "ab".repeat(256),
        _ => {}
    }
    previous
}

impl<'k> Tree<'k> {
    /// The tree of a description, with everything that happens to it.
    pub(super) fn build(spec: &Value, header: &'k Header, keys: &'k TestKeys) -> Self {
        let layout = usize::try_from(spec["layout"].as_u64().unwrap()).unwrap();
        let mut tree = Self {
            header,
            layout: header.layouts[layout].clone(),
            keys,
            objects: BTreeMap::new(),
            contents: BTreeMap::new(),
            names: Vec::new(),
        };
        let mut chains: [Option<Previous>; 2] = [None, None];
        let mut before: [Option<Previous>; 2] = [None, None];
        for (index, digest) in spec["digests"].as_array().unwrap().iter().enumerate() {
            tree.add_digest(index, digest, &mut chains, &mut before);
        }
        for operation in spec["ops"].as_array().unwrap() {
            tree.apply(operation.as_array().unwrap());
        }
        tree
    }

    pub(super) fn name_of(&self, bucket: &str, key: &str) -> Option<&str> {
        let found = self.names.iter().find(|((b, k), _)| b == bucket && k == key);
        found.map(|(_, name)| name.as_str())
    }

    pub(super) fn sum(&self) -> String {
        let mut all = Vec::new();
        for ((bucket, key), (stored, metadata)) in &self.objects {
            let metadata = metadata
                .iter()
                .map(|(name, value)| format!("{name}={value}").into_bytes());
            let parts = [bucket.clone().into_bytes(), key.clone().into_bytes(), stored.clone()];
            for part in parts.into_iter().chain(metadata) {
                all.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
                all.extend(part);
            }
        }
        sha256_hex(&all).chars().take(12).collect()
    }

    fn folder(&self, kind: &str, moment: i64) -> String {
        let layout = &self.layout;
        let parts = [
            &layout.prefix,
            "AWSLogs",
            &layout.organization,
            &layout.account,
            kind,
            &layout.region,
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let day = iso(moment).split('T').next().unwrap().replace('-', "/");
        format!("{}/{day}", parts.join("/"))
    }

    fn digest_key(&self, moment: i64, is_backfill: bool) -> String {
        let layout = &self.layout;
        let (account, region, trail, home) = (&layout.account, &layout.region, &layout.trail, &layout.home);
        let stamp = iso(moment).replace(['-', ':'], "");
        let suffix = if is_backfill { "_backfill" } else { "" };
        let folder = self.folder("CloudTrail-Digest", moment);
        format!("{folder}/{account}_CloudTrail-Digest_{region}_{trail}_{home}_{stamp}{suffix}.json.gz")
    }

    fn log_key(&self, moment: i64, unique: &str) -> String {
        let (account, region) = (&self.layout.account, &self.layout.region);
        let stamp: String = iso(moment).replace(['-', ':'], "").chars().take(13).collect();
        let folder = self.folder("CloudTrail", moment);
        format!("{folder}/{account}_CloudTrail_{region}_{stamp}Z_{unique}.json.gz")
    }

    fn put(&mut self, name: &str, spot: Spot, content: Vec<u8>, metadata: BTreeMap<String, String>) {
        let stored = stored_gzip(&content, 0);
        self.put_stored(name, spot, content, (stored, metadata));
    }

    fn put_stored(&mut self, name: &str, spot: Spot, content: Vec<u8>, object: (Vec<u8>, BTreeMap<String, String>)) {
        self.objects.insert(spot.clone(), object);
        self.contents.insert(spot.clone(), content);
        self.register(name, spot);
    }

    fn register(&mut self, name: &str, spot: Spot) {
        if !self.names.iter().any(|(known, _)| *known == spot) {
            self.names.push((spot, name.to_owned()));
        }
    }

    fn add_logs(&mut self, index: usize, digest: &Value, start: i64, bucket: &str) -> Vec<Value> {
        let is_backfill = digest["b"] == 1;
        let odd = digest["w"].as_str().unwrap_or_default();
        let mut logs = Vec::new();
        for number in 0..digest["n"].as_i64().unwrap() {
            let moment = start + (5 + 10 * number) * MINUTE;
            let letter = if is_backfill { "B" } else { "A" };
            let unique = format!("{letter}{:07}{number:08}", digest["h"].as_i64().unwrap());
            let content = json!({"Records": [{"eventID": unique, "eventTime": iso(moment)}]}).to_string();
            let key = self.log_key(moment, &unique);
            let mut hash = sha256_hex(content.as_bytes());
            let spot = (bucket.to_owned(), key.clone());
            self.put(
                &format!("l{index}.{number}"),
                spot,
                content.into_bytes(),
                BTreeMap::new(),
            );
            if number == 0 && odd == "upper" {
                hash = hash.to_uppercase();
            }
            let algorithm = if number == 0 && odd == "md5" { "MD5" } else { "SHA-256" };
            logs.push(match number == 0 && odd == "nohash" {
                true => json!({"s3Bucket": bucket, "s3Object": key, "hashAlgorithm": algorithm}),
                false => json!({"s3Bucket": bucket, "s3Object": key, "hashValue": hash, "hashAlgorithm": algorithm}),
            });
        }
        logs
    }

    fn add_digest(
        &mut self,
        index: usize,
        digest: &Value,
        chains: &mut [Option<Previous>; 2],
        before: &mut [Option<Previous>; 2],
    ) {
        let is_backfill = digest["b"] == 1;
        let kind = usize::from(is_backfill);
        let odd = digest["w"].as_str().unwrap_or_default();
        let bucket = self.header.buckets[usize::from(digest["u"] == 1)].clone();
        let mut start = self.header.start + digest["h"].as_i64().unwrap() * HOUR;
        let end = start + HOUR;
        let logs = self.add_logs(index, digest, start, &bucket);
        start += match odd {
            "late" => 30 * MINUTE,
            "early" => -30 * MINUTE,
            _ => 0,
        };
        let key = self.digest_key(end, is_backfill);
        let is_starting = digest["s"] == 1;
        let previous = match (is_starting, odd == "skip" && before[kind].is_some()) {
            (true, _) => None,
            (false, true) => before[kind].clone(),
            (false, false) => chains[kind].clone(),
        };
        let previous = match previous {
            None if !is_starting => {
                let spot = (bucket.clone(), self.digest_key(start, is_backfill));
                Some(self.previous_outside(index, spot))
            }
            previous => previous,
        };
        let previous = previous.map(|previous| made_odd(previous, odd));
        let signer = usize::from(digest["k"] == 1);
        let content = json!({
            "awsAccountId": self.layout.account,
            "digestStartTime": iso(start),
            "digestEndTime": iso(end),
            "digestS3Bucket": bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": self.keys.keys[signer].fingerprint,
            "digestSignatureAlgorithm": if odd == "algorithm" { "none" } else { "SHA256withRSA" },
            "newestEventTime": null,
            "oldestEventTime": null,
            "previousDigestS3Bucket": previous.as_ref().map(|previous| &previous.spot.0),
            "previousDigestS3Object": previous.as_ref().map(|previous| &previous.spot.1),
            "previousDigestHashValue": previous.as_ref().map(|previous| &previous.hash),
            "previousDigestHashAlgorithm": previous.as_ref().map(|_| "SHA-256"),
            "previousDigestSignature": previous.as_ref().map(|previous| &previous.signature),
            "logFiles": logs,
        });
        let written = content.to_string();
        let hash = sha256_hex(written.as_bytes());
        let last = previous.as_ref().map_or("null", |previous| previous.signature.as_str());
        let message = format!("{}\n{bucket}/{key}\n{hash}\n{last}", iso(end));
        let signature = self.keys.sign(message, signer, odd == "sha512");
        let metadata = signed_metadata(&signature, is_backfill.then_some(end));
        let spot = (bucket, key);
        self.put(&format!("d{index}"), spot.clone(), written.into_bytes(), metadata);
        before[kind] = chains[kind].take();
        chains[kind] = Some(Previous { spot, hash, signature });
    }

    /// The chain goes on before the tree.
    fn previous_outside(&mut self, index: usize, spot: Spot) -> Previous {
        self.register(&format!("p{index}"), spot.clone());
        Previous {
            spot,
            hash: "0".repeat(64),
            signature: "0".repeat(512),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<Spot> {
        let mut found = self.names.iter().filter(|(_, known)| known == name);
        found
            .find(|(spot, _)| self.objects.contains_key(spot))
            .map(|(spot, _)| spot.clone())
    }

    fn rewrite(&mut self, spot: Spot, content: Vec<u8>, metadata: BTreeMap<String, String>) {
        self.objects.insert(spot.clone(), (stored_gzip(&content, 0), metadata));
        self.contents.insert(spot, content);
    }

    pub(super) fn apply(&mut self, operation: &[Value]) {
        let word = |index: usize| operation.get(index).and_then(Value::as_str).unwrap_or_default();
        let (kind, name) = (word(0), word(1));
        let number = operation.get(2).and_then(Value::as_u64).unwrap_or_default();
        let number = usize::try_from(number).unwrap();
        let Some(spot) = self.find(name) else { return };
        let (mut stored, mut metadata) = self.objects[&spot].clone();
        let content = self.contents[&spot].clone();
        if let Some(content) = changed_content(operation, &content) {
            return self.rewrite(spot, content, metadata);
        }
        let (bucket, key) = spot.clone();
        match kind {
            "delete" => {
                self.objects.remove(&spot);
                return;
            }
            "delete_all" => {
                let logs = format!("l{}.", name.trim_start_matches('d'));
                let names = self
                    .names
                    .iter()
                    .filter(|(_, known)| known == name || known.starts_with(&logs));
                for (spot, _) in names {
                    self.objects.remove(spot);
                }
                return;
            }
            "move" => {
                let target = match number {
                    0 => (self.header.buckets[1].clone(), key),
                    _ => (bucket, key.replacen("_2026", "_2027", 1)),
                };
                self.objects.remove(&spot);
                return self.put_stored(&format!("x{name}"), target, content, (stored, metadata));
            }
            "copy" => {
                if let Some(target) = self.find(word(2)) {
                    self.put_stored("", target, content, (stored, metadata));
                }
                return;
            }
            "extra" => {
                let moment = self.header.start + i64::try_from(number).unwrap() * MINUTE;
                let extra = (bucket, self.log_key(moment, &format!("X{number:015}")));
                let content = br#"{"Records":[]}"#.to_vec();
                return self.put(&format!("e{number}"), extra, content, BTreeMap::new());
            }
            "other_trail" => {
                let other = key.replace(&format!("_{}_", self.layout.trail), "_other-trail_");
                return self.put_stored(&format!("o{name}"), (bucket, other), content, (stored, metadata));
            }
            _ => change_bytes(operation, &content, &mut stored, &mut metadata),
        }
        self.objects.insert(spot, (stored, metadata));
    }
}

fn signed_metadata(signature: &str, backfill_end: Option<i64>) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::from([
        ("signature".to_owned(), signature.to_owned()),
        ("signature-algorithm".to_owned(), "SHA256withRSA".to_owned()),
    ]);
    let generated = backfill_end.map(|end| iso(end + 5 * HOUR));
    metadata.extend(generated.map(|time| ("backfill-generation-timestamp".to_owned(), time)));
    metadata
}
