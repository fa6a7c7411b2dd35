//! Decoding alone, on one thread: how fast objects become rows, without store and threads. And the facts: how long they take
//! to read, and how fast calls become actions.
//!
//! `cargo bench` prints the figures; `cargo bench -- digests` those of `verify` over a year of digests instead. The whole ingest
//! beside its peers is measured by `benches/run.py`. With the arguments `serve FOLDER MILLISECONDS` it is the bucket of
//! `benches/bucket.py` instead.
#![expect(clippy::print_stdout, reason = "a benchmark reports on stdout")]

mod bucket_server;
mod digests;

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use trimtrail::decode::Decoder;
use trimtrail::decode::EventKeys;
use trimtrail::decode::Limits;
use trimtrail::decode::RowBuffer;
use trimtrail::iam::Call;
use trimtrail::iam::Facts;
use trimtrail::sample::EstateConfig;
use trimtrail::sample::write_estate;
use trimtrail::source;

const EVENTS: u64 = 100_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "digests") {
        return digests::measure();
    }
    if let [verb, folder, latency] = arguments.as_slice()
        && verb == "serve"
    {
        let latency = Duration::from_millis(latency.parse()?);
        return bucket_server::serve(Path::new(folder), latency);
    }
    let folder = tempfile::tempdir()?;
    let estate = folder.path().join("estate");
    write_estate(
        &EstateConfig {
            events: EVENTS,
            ..EstateConfig::default()
        },
        &estate,
    )?;
    let objects = read_objects(&estate)?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        rounds.push(decode_all(&objects)?);
    }
    rounds.sort_by_key(|round| round.elapsed);
    if let Some(median) = rounds.get(ROUNDS / 2) {
        let seconds = median.elapsed.as_secs_f64();
        println!(
            "decode, one thread, median of {ROUNDS} rounds over {} objects:",
            objects.len()
        );
        println!(
            "  {:.0} MB of JSON a second",
            count(median.inflated_bytes) / 1e6 / seconds
        );
        println!("  {:.0} records a second", count(median.records) / seconds);
    }
    measure_facts()
}

/// Calls of different sorts: a read of an object, a start of an instance with tags, a decryption for another service.
const CALLS: [(&str, &str, &str, &[&str]); 3] = [
    (
        "s3.amazonaws.com",
        "GetObject",
        r#"{"bucketName":"logs","key":"2026/a.gz"}"#,
        &["arn:aws:s3:::logs/2026/a.gz", "arn:aws:s3:::logs"],
    ),
    (
        "ec2.amazonaws.com",
        "RunInstances",
        r#"{"instancesSet":{"items":[{"imageId":"ami-1"}]},"tagSpecificationSet":{"items":[{"tags":[{"key":"a"}]}]}}"#,
        &[],
    ),
    (
        "kms.amazonaws.com",
        "Decrypt",
        r#"{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::logs"}}"#,
        &["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    ),
];

fn measure_facts() -> Result<(), Box<dyn Error>> {
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        Facts::from_pack(Facts::embedded_pack())?;
        fastest = fastest.min(started.elapsed());
    }
    println!("facts, read in {fastest:.1?}");
    let facts = Facts::embedded();
    for (event_source, event_name, request_parameters, resource_arns) in CALLS {
        let operation = facts.operation(event_source, event_name);
        let call = Call {
            event_source,
            event_name,
            request_parameters: Some(request_parameters),
            resource_arns,
            account_id: Some("111122223333"),
            region: Some("eu-west-1"),
            ..Call::default()
        };
        let started = Instant::now();
        for _ in 0..EVENTS {
            black_box(facts.actions_of_operation(&operation, black_box(&call)));
        }
        let each = started.elapsed().as_secs_f64() / count(EVENTS);
        println!("  {event_name}: {:.1} µs a call", each * 1e6);
    }
    Ok(())
}

/// URI and bytes.
type Object = (String, Vec<u8>);

struct Round {
    elapsed: Duration,
    records: u64,
    inflated_bytes: u64,
}

fn decode_all(objects: &[Object]) -> Result<Round, Infallible> {
    let mut decoder = Decoder::new(Limits::default());
    let mut rows = RowBuffer::new(EventKeys::default());
    let mut round = Round {
        elapsed: Duration::ZERO,
        records: 0,
        inflated_bytes: 0,
    };
    let started = Instant::now();
    for (uri, bytes) in objects {
        let outcome = decoder.decode(uri, bytes, &mut rows, |_| Ok::<(), Infallible>(()))?;
        round.records += outcome.records;
        round.inflated_bytes += outcome.inflated_bytes;
    }
    round.elapsed = started.elapsed();
    Ok(round)
}

fn read_objects(estate: &Path) -> Result<Vec<Object>, Box<dyn Error>> {
    let listing = source::list(&[estate.join("AWSLogs").display().to_string()])?;
    let read = |object: &source::ObjectRef| Ok((object.uri.to_string(), source::read(object)?));
    listing.objects.iter().map(read).collect()
}

#[expect(clippy::cast_precision_loss, reason = "rates are shown with three digits")]
fn count(value: u64) -> f64 {
    value as f64
}
