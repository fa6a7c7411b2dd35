//! A year of digests of one account in 17 regions, signed by a key made for tests: how long `verify` takes over them on disk.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::signature::RsaKeyPair;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::Md5;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;
use trimtrail::event::decode_base64;
use trimtrail::event::format_canonical;
use trimtrail::ingest::Verify;
use trimtrail::integrity::PublicKeys;
use trimtrail::integrity::Window;
use trimtrail::source::History;
use trimtrail::source::Lister;
use trimtrail::source::Request;
use trimtrail::source::Selection;

const REGIONS: usize = 17;
const HOURS: i64 = 365 * 24;
const HOUR: i64 = 3_600_000_000;
/// 2025-09-01T00:00:00Z
const START: i64 = 1_756_684_800_000_000;
const KEYS: &str = include_str!("../tests/oracle/digests/keys.json");
const THREADS: usize = 2;

/// Writes the digests and prints how long their verification takes.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let keys: Value = serde_json::from_str(KEYS)?;
    let key = keys.pointer("/keys/0").ok_or("no key")?;
    let text = |name: &str| key.get(name).and_then(Value::as_str).ok_or("no text");
    let private = decode_base64(text("private")?).ok_or("no Base64")?;
    let public = text("pkcs1")?;
    let fingerprint = hex(&Md5::digest(decode_base64(public).ok_or("no Base64")?));
    let pair = RsaKeyPair::from_der(&private)?;
    thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|first| {
                let (pair, fingerprint, folder) = (&pair, &fingerprint, folder.path());
                scope.spawn(move || {
                    let mut regions = (first..REGIONS).step_by(THREADS);
                    regions.try_for_each(|region| {
                        write_chain(folder, region, pair, fingerprint).map_err(|e| e.to_string())
                    })
                })
            })
            .collect();
        let mut writers = writers.into_iter();
        writers.try_for_each(|writer| writer.join().map_err(|_| "a writer panicked".to_owned())?)
    })?;
    let listed = json!({"PublicKeyList": [{
        "Value": public,
        "ValidityStartTime": 0,
        "ValidityEndTime": 4_102_444_800_i64,
        "Fingerprint": fingerprint,
    }]});
    let listed = listed.to_string();
    let mut keys = PublicKeys::default();
    keys.add(listed.as_bytes(), "keys.json", None)?;
    let started = Instant::now();
    let valid = verify(folder.path(), &keys)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("digests, {THREADS} threads: {valid} verified in {seconds:.2} s");
    Ok(())
}

fn verify(folder: &Path, keys: &PublicKeys) -> Result<u64, Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let request = Request {
        sources: vec![folder.display().to_string()],
        ..Request::default()
    };
    let mut lister = runtime.block_on(Lister::open(&request, &History::default()))?;
    let verify = Verify {
        runtime: runtime.handle(),
        keys,
        window: Window::default(),
        selection: &Selection::default(),
        threads: THREADS,
        stop: &AtomicBool::new(false),
    };
    let mut valid = 0;
    verify.run(&mut lister, |group| {
        valid += group.chains.iter().map(|chain| chain.valid_digests).sum::<u64>();
    })?;
    Ok(valid)
}

fn write_chain(folder: &Path, region: usize, pair: &RsaKeyPair, fingerprint: &str) -> Result<(), Box<dyn Error>> {
    let mut previous: Option<Previous> = None;
    for hour in 0..HOURS {
        let time = |moment: i64| format_canonical(moment).ok_or("outside of the calendar");
        let (start, end) = (time(START + hour * HOUR)?, time(START + (hour + 1) * HOUR)?);
        let (day, _) = end.split_once('T').ok_or("no day")?;
        let stamp = end.replace(['-', ':'], "");
        let name = format!("region-{region}");
        let below = format!(
            "AWSLogs/111122223333/CloudTrail-Digest/{name}/{}/111122223333_CloudTrail-Digest_{name}_trail_us-east-1_{stamp}.json.gz",
            day.replace('-', "/")
        );
        let content = content(&start, &end, &below, fingerprint, previous.as_ref());
        let hash = hex(&Sha256::digest(content.as_bytes()));
        let before = previous.as_ref().map_or("null", |(.., signature)| signature);
        let message = format!("{end}\ncentral-logs/{below}\n{hash}\n{before}");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )?;
        let signature = hex(&signature);
        let path = folder.join(&below);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        let mut stored = GzEncoder::new(Vec::new(), Compression::fast());
        stored.write_all(content.as_bytes())?;
        fs::write(&path, stored.finish()?)?;
        let head = json!({"Metadata": {"signature": signature, "signature-algorithm": "SHA256withRSA"}}).to_string();
        fs::write(path.with_file_name(format!("{}.meta.json", file_name(&below))), head)?;
        previous = Some((below, hash, signature));
    }
    Ok(())
}

/// Key, hash and signature.
type Previous = (String, String, String);

fn content(start: &str, end: &str, key: &str, fingerprint: &str, previous: Option<&Previous>) -> String {
    json!({
        "awsAccountId": "111122223333",
        "digestStartTime": start,
        "digestEndTime": end,
        "digestS3Bucket": "central-logs",
        "digestS3Object": key,
        "digestPublicKeyFingerprint": fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": null,
        "oldestEventTime": null,
        "previousDigestS3Bucket": previous.map(|_| "central-logs"),
        "previousDigestS3Object": previous.map(|(key, ..)| key),
        "previousDigestHashValue": previous.map(|(_, hash, _)| hash),
        "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
        "previousDigestSignature": previous.map(|(.., signature)| signature),
        "logFiles": [],
    })
    .to_string()
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
