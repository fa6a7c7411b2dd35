//! Bad input through the program itself: each kind gets a message that names the object and says what to do, its exit
//! code and its place in the balance, and everything beside it is ingested.

mod arguments;
mod objects;
mod paths;
mod stores;

use trimtrail::decode::gzip;

use crate::ingest::record;
use crate::support::json::number;
use crate::support::process::Ended;
use crate::support::process::Place;

/// Good records that lie beside every bad object.
const GOOD_RECORDS: usize = 3;

/// A place with one good object.
fn place_with_a_good_object() -> Place {
    let place = Place::new();
    let good: Vec<String> = (0..GOOD_RECORDS).map(record).collect();
    place.write("good.json.gz", &zipped(document(&good)));
    place
}

/// A log file's text.
fn document(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}

fn zipped(text: impl AsRef<[u8]>) -> Vec<u8> {
    gzip::compress(text.as_ref())
}

/// Ends a record with one more field.
fn with_field(record: &str, field: &str) -> String {
    let open = record.strip_suffix('}').unwrap();
    format!("{open},{field}}}")
}

/// No byte that a terminal would obey, in whatever the program printed.
fn assert_printable(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        let control = text
            .chars()
            .find(|character| character.is_control() && *character != '\n');
        assert_eq!(control, None, "{text:?}");
    }
}

/// The numbers of a printed line of the balance: the whole, then its parts.
fn balance_line(ended: &Ended, name: &str) -> Vec<u64> {
    let line = ended.stdout.lines().find(|line| line.starts_with(name)).unwrap();
    let words = line.split_whitespace().map(|word| word.replace(',', ""));
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Checks exit code, message, printed balance and ledger of a run over a place, and that `stored` events are there.
fn assert_run(place: &Place, ended: &Ended, code: i32, message: &[&str], stored: usize) {
    assert_eq!(ended.code, code, "{ended:?}");
    for part in message {
        assert!(ended.stderr.contains(part), "`{part}` is not in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_printable(ended);
    for name in ["objects", "records"] {
        let numbers = balance_line(ended, name);
        assert_eq!(numbers[0], numbers[1..].iter().sum::<u64>(), "{}", ended.stdout);
    }
    let total = place.rows(&["query", "ingest-balance"]).pop().unwrap();
    assert_eq!(number(&total, "unaccounted"), 0, "{total}");
    assert_eq!(number(&total, "stored"), number(&total, "event_rows"), "{total}");
    assert_eq!(number(&total, "event_rows"), i64::try_from(stored).unwrap(), "{total}");
    assert_eq!(
        balance_line(ended, "records")[0],
        u64::try_from(number(&total, "records")).unwrap()
    );
}
