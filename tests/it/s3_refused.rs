//! Objects of a bucket that are refused: they end no run, and what is gone is told from what is denied.

use serde_json::Value;
use serde_json::json;

use crate::s3::assert_ended;
use crate::s3::count;
use crate::s3::days;
use crate::s3::key;
use crate::s3::log;
use crate::s3::of;
use crate::s3::problems;
use crate::support::bucket::BUCKET;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Trouble;
use crate::support::permissions::Permissions;
use crate::support::process;
use crate::support::process::Place;

const LOGS: &str = "s3://central-logs/AWSLogs/";
/// Objects that are refused in a row before their folder is passed over, and requests that may be under way then.
const MOST_REFUSED: usize = 10_000;
const UNDER_WAY: usize = 512;

/// Lists below `AWSLogs/` and reads there what an account wrote, as a policy of a role does.
fn may_read(bucket: &FakeBucket, account: &str) {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}"),
          "Condition": { "StringLike": { "s3:prefix": "AWSLogs/*" } } },
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/AWSLogs/{account}/*") }
    ] });
    bucket.script(|script| script.permissions = Some(Permissions::parse(&policy)));
}

#[test]
fn thousands_of_refused_objects_keep_nothing_else_from_being_read() {
    let bucket = FakeBucket::new();
    let (denied, read) = ("111122223333", "444455556666");
    let refused = MOST_REFUSED + UNDER_WAY + 300;
    for number in 0..refused {
        bucket.put(
            &key(denied, "eu-west-1", 1, &format!("{number:05}")),
            log(number..number + 1),
            &[],
        );
    }
    bucket.put(&key(denied, "us-east-1", 1, "z"), log(20_000..20_001), &[]);
    bucket.put(&key(read, "eu-west-1", 2, "a"), log(20_001..20_002), &[]);
    bucket.put(&key(read, "eu-central-1", 3, "a"), log(20_002..20_003), &[]);
    may_read(&bucket, read);
    let place = Place::new();
    let sources = [denied, read].map(|account| format!("{LOGS}{account}/"));
    let ingest = |bucket: &FakeBucket| {
        let arguments = ["ingest", &sources[0], &sources[1], "--look-back", "0"];
        process::ended(bucket.command(&place.store(), &arguments).output().unwrap())
    };

    // The folder is given up, one beside it is asked, and so is the source behind it.
    let first = ingest(&bucket);
    assert_eq!((first.code, count(&place)), (4, 2), "{first:?}");
    assert!(!first.stderr.contains("stopped early"), "{}", first.stderr);
    let folder = format!("{LOGS}{denied}/CloudTrail/eu-west-1/");
    assert!(first.stderr.contains(&format!("`{folder}`: ")), "{}", first.stderr);
    assert!(first.stderr.contains("were not asked for"), "{}", first.stderr);
    let tried = problems(&place).len();
    assert!(
        (MOST_REFUSED + 1..=MOST_REFUSED + UNDER_WAY + 1).contains(&tried),
        "{tried}"
    );

    // Those that were not asked for are asked for first by the next run, and what is new is read.
    bucket.put(&key(read, "eu-west-1", 3, "b"), log(20_003..20_004), &[]);
    bucket.asked();
    assert_eq!((ingest(&bucket).code, count(&place)), (4, 3));
    let every = place.sql("select count(distinct object_key) as n from objects where state = 'unreadable'");
    assert_eq!(every, [json!({ "n": refused + 1 })]);
    // A get for each of these, a list that shows whether it is gone, and little else.
    let asked = bucket.asked().len();
    assert!(asked < 2 * (MOST_REFUSED + UNDER_WAY) + 500, "{asked}");
}

#[test]
fn what_was_passed_over_below_a_day_is_read_once_it_may_be() {
    let bucket = FakeBucket::new();
    let refused = MOST_REFUSED + UNDER_WAY + 100;
    for number in 0..refused {
        let deeper = key("111122223333", "eu-west-1", 1, &format!("copy/{number:05}"));
        bucket.put(&deeper, log(number..number + 1), &[]);
        bucket.script(|script| {
            script.faults.insert(deeper, (Trouble::KeyDenied, usize::MAX));
        });
    }
    days(&bucket, 5..=29);
    let place = Place::new();
    let arguments = ["--look-back", "0"];
    let first = bucket.ingest(&place.store(), LOGS, &arguments);
    assert_eq!(first.code, 4, "{first:?}");
    assert!(first.stderr.contains("were not asked for"), "{}", first.stderr);
    let in_store = "select count(distinct object_key) as n from objects";
    let asked_for = place.sql(in_store)[0]["n"].as_u64().unwrap();
    assert!(asked_for < refused as u64, "{asked_for}");

    bucket.script(|script| script.faults.clear());
    let second = bucket.ingest(&place.store(), LOGS, &arguments);
    assert_eq!(second.code, 0, "{second:?}");
    assert_eq!(
        place.sql("select count(distinct object_key) as n from objects where state = 'ingested'"),
        [json!({ "n": refused + 25 })]
    );
}

#[test]
fn bucket_of_which_nothing_can_be_read_is_not_listed_to_its_end() {
    let bucket = FakeBucket::new();
    for number in 0..MOST_REFUSED + UNDER_WAY + 1 {
        bucket.put(
            &key("111122223333", "eu-west-1", 1, &format!("{number:05}")),
            log(number..number + 1),
            &[],
        );
    }
    days(&bucket, 5..=29);
    may_read(&bucket, "999999999999");
    let place = Place::new();
    let ended = bucket.ingest(&place.store(), LOGS, &[]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.stderr.contains(&format!("`{LOGS}`: not listed to its end")),
        "{}",
        ended.stderr
    );
    let behind: Vec<_> = bucket
        .asked()
        .into_iter()
        .filter(|asked| asked.verb == "GET" && !asked.key.contains("/09/01/"))
        .collect();
    assert_eq!(behind, []);
}

#[test]
fn named_key_that_is_not_there_is_told_from_one_that_is_denied() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=2);
    let place = Place::new();
    let (there, mistyped) = (
        key("111122223333", "eu-west-1", 1, "a"),
        key("111122223333", "eu-west-1", 1, "mistyped"),
    );
    let foreign = key("444455556666", "eu-west-1", 1, "a");
    bucket.put(&foreign, log(7..8), &[]);
    may_read(&bucket, "111122223333");
    let lines = place.folder().join("keys.txt");
    let named = [&there, &mistyped, &foreign].map(|key| format!("s3://{BUCKET}/{key}\n"));
    std::fs::write(&lines, named.concat()).unwrap();
    let arguments = ["ingest", "--keys-from", lines.to_str().unwrap()];
    let ended = process::ended(bucket.command(&place.store(), &arguments).output().unwrap());
    assert_ended(&ended, 4, "objects  3 listed = 1 ingested + 0 known + 2 rejected");
    let states: Vec<Value> = place.sql("select object_key, state from objects where state <> 'ingested' order by 1");
    assert_eq!(
        states,
        [
            json!({ "object_key": format!("s3://{BUCKET}/{mistyped}"), "state": "vanished" }),
            json!({ "object_key": format!("s3://{BUCKET}/{foreign}"), "state": "unreadable" }),
        ]
    );
    assert!(ended.stderr.contains("its key is wrong"), "{}", ended.stderr);
    // No run after it asks for the mistyped one.
    may_read(&bucket, "*");
    assert_ended(
        &bucket.ingest(&place.store(), LOGS, &[]),
        0,
        "objects  3 listed = 2 ingested",
    );
}

#[test]
fn object_that_is_deleted_before_it_could_be_read_is_not_told_for_ever() {
    let bucket = FakeBucket::new();
    days(&bucket, 1..=3);
    may_read(&bucket, "111122223333");
    let refused = key("111122223333", "eu-west-1", 1, "a");
    bucket.script(|script| {
        script.faults.insert(refused.clone(), (Trouble::KeyDenied, usize::MAX));
    });
    let place = Place::new();
    let arguments = ["--look-back", "0"];
    let first = bucket.ingest(&place.store(), LOGS, &arguments);
    assert_ended(&first, 4, "objects  3 listed = 2 ingested + 0 known + 1 rejected");
    bucket.script(|script| script.faults.clear());
    bucket.remove(&refused);
    let second = bucket.ingest(&place.store(), LOGS, &arguments);
    assert_eq!(second.code, 4, "{second:?}");
    assert_eq!(problems(&place).last().unwrap().0, "vanished");
    bucket.asked();
    assert_eq!(bucket.ingest(&place.store(), LOGS, &arguments).code, 0);
    assert_eq!(of(&bucket.asked(), "GET").len(), 0);
    // A deletion that is undone.
    days(&bucket, 1..=1);
    assert_eq!(bucket.ingest(&place.store(), LOGS, &arguments).code, 0);
    assert_eq!(count(&place), 3);
}
