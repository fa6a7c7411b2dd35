//! `evidence` as a process: what a bundle holds, that the same arguments give the same bytes, and that every change is found.

mod behind;
mod documents;
mod linked;
mod repacked;
mod signed;
mod standing;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;

use arrow::array::AsArray;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::support::json::number;
use crate::support::json::text;
use crate::support::page::assert_loads_nothing;
use crate::support::process;
use crate::support::process::Ended;

/// The sample in a store, with a bundle of it.
struct Bundled {
    folder: TempDir,
}

fn sample_path(name: &str) -> String {
    format!("{}/sample-logs/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn keys() -> String {
    format!("us-east-1={}", sample_path("public-keys.json"))
}

impl Bundled {
    fn get() -> &'static Self {
        static BUNDLED: OnceLock<Bundled> = OnceLock::new();
        BUNDLED.get_or_init(|| {
            let bundled = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            let ingest = bundled.run(&["ingest", &sample_path("AWSLogs"), "--quiet"]);
            assert!(matches!(ingest.code, 0 | 4), "{ingest:?}");
            let iam = sample_path("iam");
            let import = bundled.run(&["iam", "import", &iam, "--taken-at", "2026-09-15", "--quiet"]);
            assert_eq!(import.code, 0, "{import:?}");
            let ended = bundled.export("whole", &[]);
            // The sample lacks an object and a record.
            assert_eq!(ended.code, 4, "{ended:?}");
            bundled
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        process::run(&self.path("store"), arguments)
    }

    /// Exports the sample's fortnight for all frameworks.
    fn export(&self, out: &str, more: &[&str]) -> Ended {
        let (out, keys) = (self.path(out).display().to_string(), keys());
        let arguments = [
            "evidence",
            "export",
            "--period",
            "2026-09-01..2026-09-15",
            "--framework",
            "soc2,iso27001,nist-800-53,pci-dss-4,hipaa,cis-aws",
            "--param",
            "allowed=eu-central-1,eu-west-1,us-west-2",
            "--param",
            "min_window_days=14",
            "--keys",
            &keys,
            "--out",
            &out,
        ];
        self.run(&[&arguments, more].concat())
    }

    fn verify(&self, bundle: &Path, more: &[&str]) -> Ended {
        self.run(&[&["evidence", "verify", bundle.to_str().unwrap()], more].concat())
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path("whole").join(name)).unwrap()).unwrap()
    }

    /// A copy of the bundle that may be spoilt.
    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        for (name, content) in files(&self.path("whole")) {
            let path = copy.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        copy
    }
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn bundle_holds_every_exhibit_of_every_control_with_its_text_and_window() {
    let bundled = Bundled::get();
    let record = bundled.json("bundle.json");
    let exhibits: BTreeMap<String, &Value> = record["exhibits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|exhibit| (text(exhibit, "id"), exhibit))
        .collect();
    for control in record["controls"].as_array().unwrap() {
        for evidence in control["evidence"].as_array().unwrap() {
            let exhibit = exhibits[&text(evidence, "exhibit")];
            assert_eq!(number(evidence, "rows"), number(exhibit, "rows"));
        }
    }
    for exhibit in exhibits.values() {
        let rows: Vec<Value> = serde_json::from_value(bundled.json(exhibit["files"][1].as_str().unwrap())).unwrap();
        assert_eq!(i64::try_from(rows.len()).unwrap(), number(exhibit, "rows"), "{exhibit}");
        let is_question = !exhibit["question"].is_null();
        assert_eq!(
            is_question,
            bundled.path("whole").join(text(exhibit, "sql")).is_file(),
            "{exhibit}"
        );
        let since = text(&exhibit["parameters"], "since");
        assert!(since.is_empty() || since == "2026-09-01T00:00:00Z", "{exhibit}");
    }
    // The answers of questions are those of `query`.
    let window = [
        "--param",
        "since=2026-09-01",
        "--param",
        "until=2026-09-15",
        "--output",
        "csv",
        "--quiet",
    ];
    let asked = bundled.run(&[&["query", "root-use"], &window[..]].concat());
    let table = fs::read_to_string(bundled.path("whole/tables/root-use.csv")).unwrap();
    assert_eq!(asked.stdout, table);
    assert_eq!(number(exhibits["unexpected-regions"], "rows"), 4);
    assert_eq!(record["store"]["log_entry_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(number(&record["coverage"], "hours_complete"), 23);
    assert_eq!(number(&record["coverage"], "hours_incomplete"), 2);
    let integrity = bundled.json("integrity.json");
    assert_eq!(integrity["summary"]["digests"]["valid"], 24);
    let chains = bundled.json("tables/integrity.json");
    assert_eq!(chains[0]["valid_digests"], 24);
}

#[test]
fn same_store_and_arguments_give_the_same_bytes_with_any_number_of_threads_in_folder_and_archive() {
    let bundled = Bundled::get();
    let whole = files(&bundled.path("whole"));
    let one = bundled.export("one-thread", &["--threads", "1"]);
    let again = files(&bundled.path("one-thread"));
    let differing: Vec<&String> = whole
        .iter()
        .filter(|(name, content)| again.get(*name) != Some(content))
        .map(|(name, _)| name)
        .collect();
    assert!(differing.is_empty() && whole.len() == again.len(), "{differing:?}");
    let packed = bundled.export("packed.tar", &["--threads", "2"]);
    assert_eq!(
        (one.code, one.stdout),
        (packed.code, packed.stdout),
        "the hash of all hashes"
    );
    let verified = bundled.verify(&bundled.path("packed.tar"), &[]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn every_changed_missing_or_added_file_is_named() {
    let bundled = Bundled::get();
    assert_eq!(bundled.verify(&bundled.path("whole"), &[]).code, 0);
    let copy = bundled.copy();
    let names: Vec<String> = files(copy.path()).into_keys().collect();
    assert!(names.len() > 60, "{names:?}");
    for (position, name) in names.iter().enumerate() {
        let path = copy.path().join(name);
        let content = fs::read(&path).unwrap();
        let mut changed = content.clone();
        let byte = position * 7919 % changed.len();
        changed[byte] ^= 1;
        fs::write(&path, &changed).unwrap();
        let flipped = bundled.verify(copy.path(), &[]);
        assert_eq!(flipped.code, 3, "{name} at {byte}: {flipped:?}");
        assert!(
            flipped.stdout.contains(&format!("`{name}`")),
            "{name} at {byte}: {flipped:?}"
        );
        fs::remove_file(&path).unwrap();
        let dropped = bundled.verify(copy.path(), &[]);
        assert_eq!(dropped.code, 3, "{name}");
        assert!(
            dropped.stdout.contains(&format!("`{name}` is missing")),
            "{name}: {dropped:?}"
        );
        fs::write(&path, &content).unwrap();
    }
    for added in ["tables/new.csv", "new.html", ".hidden", "tables/sub"] {
        let path = copy.path().join(added);
        match added {
            "tables/sub" => fs::create_dir(&path).unwrap(),
            _ => fs::write(&path, "x").unwrap(),
        }
        let ended = bundled.verify(copy.path(), &[]);
        assert_eq!(ended.code, 3, "{added}");
        assert!(
            ended.stdout.contains(&format!("`{added}` is no part of the bundle")),
            "{ended:?}"
        );
        match added {
            "tables/sub" => fs::remove_dir(&path).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
    }
    assert_eq!(bundled.verify(copy.path(), &[]).code, 0);
}

#[test]
fn sha256sum_alone_agrees() {
    let bundled = Bundled::get();
    let sums = std::process::Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(bundled.path("whole"))
        .output();
    let sums = sums.unwrap();
    assert!(sums.status.success(), "{sums:?}");
}

#[test]
fn rows_that_the_store_does_not_give_are_found_although_all_hashes_fit() {
    let bundled = Bundled::get();
    let store = bundled.path("store").display().to_string();
    let whole = bundled.verify(&bundled.path("whole"), &["--store", &store]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let copy = bundled.copy();
    let table = copy.path().join("tables/root-use.csv");
    let short: Vec<String> = fs::read_to_string(&table)
        .unwrap()
        .lines()
        .skip(1)
        .map(str::to_owned)
        .collect();
    fs::write(&table, short.join("\n")).unwrap();
    rebind(copy.path());
    assert_eq!(bundled.verify(copy.path(), &[]).code, 0, "the hashes fit");
    let ended = bundled.verify(copy.path(), &["--store", &store]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout.contains("`tables/root-use.csv` differs"), "{ended:?}");
}

#[test]
fn bundle_of_another_version_of_the_program_is_not_compared() {
    let bundled = Bundled::get();
    let store = bundled.path("store").display().to_string();
    let copy = bundled.copy();
    let record = copy.path().join("bundle.json");
    let text = fs::read_to_string(&record).unwrap();
    let own = format!(r#""trimtrail_version": "{}""#, env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&own), "{text}");
    fs::write(&record, text.replace(&own, r#""trimtrail_version": "0.0.1""#)).unwrap();
    rebind(copy.path());
    assert_eq!(bundled.verify(copy.path(), &[]).code, 0);
    let ended = bundled.verify(copy.path(), &["--store", &store]);
    assert_eq!((ended.code, ended.stdout.contains("differs")), (2, false), "{ended:?}");
    assert!(ended.stderr.contains("version 0.0.1"), "{ended:?}");
}

#[test]
fn bundle_that_would_be_compressed_is_refused_and_one_that_is_is_no_changed_one() {
    let bundled = Bundled::get();
    for name in ["x.zip", "x.tar.gz", "x.TGZ", "-"] {
        let ended = bundled.export(name, &[]);
        assert_eq!(ended.code, 2, "{name}: {ended:?}");
        assert!(!bundled.path(name).exists(), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, begin) in [("x.zip", &b"PK\x03\x04"[..]), ("x.tar.gz", b"\x1f\x8b\x08\x00")] {
        let file = folder.path().join(name);
        fs::write(&file, [begin, &[0; 600]].concat()).unwrap();
        let ended = bundled.verify(&file, &[]);
        assert_eq!(ended.code, 2, "{name}: {ended:?}");
        assert!(ended.stderr.contains("is compressed"), "{name}: {ended:?}");
    }
}

/// Hashes all files anew, as somebody would who wants to deceive.
fn rebind(folder: &Path) {
    use sha2::Digest;
    let hash = |content: &[u8]| -> String {
        let digest = sha2::Sha256::digest(content);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut found = files(folder);
    found.remove("SHA256SUMS");
    let path = folder.join("statement.intoto.json");
    let mut statement: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for subject in statement["subject"].as_array_mut().unwrap() {
        let name = text(subject, "name");
        subject["digest"]["sha256"] = hash(&found[&name]).into();
    }
    let statement = format!("{statement:#}\n");
    fs::write(&path, &statement).unwrap();
    found.insert("statement.intoto.json".to_owned(), statement.into_bytes());
    let lines = found
        .iter()
        .map(|(name, content)| format!("{}  {name}\n", hash(content)));
    fs::write(folder.join("SHA256SUMS"), lines.collect::<String>()).unwrap();
}

#[test]
fn store_that_was_changed_no_longer_gives_the_bundle() {
    let place = process::Place::new();
    let record = |id: &str, agent: &str| json!({"Records": [record_of(id, agent)]}).to_string();
    place.write("a.json", record("e1", "first").as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let bundle = place.folder().join("bundle").display().to_string();
    let export = [
        "evidence",
        "export",
        "--period",
        "2026-09",
        "--framework",
        "soc2",
        "--out",
        &bundle,
    ];
    assert_eq!(process::run(&place.store(), &export).code, 0);
    let store = place.store().display().to_string();
    let verify = ["evidence", "verify", &bundle, "--store", &store];
    assert_eq!(process::run(&place.store(), &verify).code, 0);
    // More logs make a new version: the old one still gives the bundle.
    place.write("b.json", record("e2", "second").as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    assert_eq!(process::run(&place.store(), &verify).code, 0);
    // A folder without files was not there.
    let empty = place.folder().join("bundle/x");
    fs::create_dir(&empty).unwrap();
    let ended = process::run(&place.store(), &verify);
    assert!(ended.code == 3 && ended.stdout.contains("`x/` is no part"), "{ended:?}");
    fs::remove_dir(empty).unwrap();
    // One with a file that cannot be read is not as it was.
    for entry in walkdir::WalkDir::new(place.store().join("events")) {
        let path = entry.unwrap().into_path();
        let name = path.to_string_lossy();
        if name.ends_with(".parquet") && !name.contains("_delta_log") {
            fs::write(&path, vec![b'x'; fs::read(&path).unwrap().len()]).unwrap();
        }
    }
    let ended = process::run(&place.store(), &verify);
    assert!(ended.code == 3 && ended.stdout.contains(".parquet"), "{ended:?}");
    // Another store with the same number of versions does not.
    fs::remove_dir_all(place.store()).unwrap();
    place.write("a.json", record("e1", "forged").as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let ended = process::run(&place.store(), &verify);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stdout.contains("`bundle.json` differs") && ended.stdout.contains("`tables/root-use.csv` differs"),
        "{ended:?}"
    );
}

fn record_of(id: &str, agent: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventTime": "2026-09-02T10:00:00Z", "eventName": "ListUsers", "awsRegion": "us-east-1",
        "eventSource": "iam.amazonaws.com", "eventID": id, "readOnly": true, "eventType": "AwsApiCall",
        "eventCategory": "Management", "recipientAccountId": "111122223333", "userAgent": agent,
        "sourceIPAddress": "203.0.113.10",
        "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333",
                         "principalId": "111122223333"},
    })
}

/// Members whose names say that their values are secret.
const SECRET_MEMBERS: [&str; 19] = [
    "masterUserPassword",
    "password",
    "newPassword",
    "oldPassword",
    "secretString",
    "secretBinary",
    "clientSecret",
    "userData",
    "authToken",
    "privateKey",
    "keyMaterial",
    "plaintext",
    "ciphertextBlob",
    "tokenCode",
    "authenticationCode1",
    "SAMLAssertion",
    "webIdentityToken",
    "connectionString",
    "apiKey",
];

/// A record with secrets in thirty fields, and the secrets.
fn planted_secrets() -> (Value, Vec<String>) {
    let mut canaries: Vec<String> = Vec::new();
    let mut canary = |shape: &str| {
        let secret = shape.replace('#', &format!("{:04}", canaries.len() + 4711));
        canaries.push(secret.clone());
        secret
    };
    let long =
        "IQoJb3JpZ2luX2VjEA4aCWV1LXdlc3QtMSJHMEUCIQDx9Qf2bB3yC7h8Kq0Zl4Jv5n6M1o2P3q4R5s6T7u8V9w0X1y2Z3a4B5c6D7e8F#";
    let mut parameters = serde_json::Map::new();
    for member in SECRET_MEMBERS {
        parameters.insert(member.to_owned(), canary("canary-#").into());
    }
    parameters.insert(
        "environment".to_owned(),
        json!({"variables": {"DB": canary("canary-#")}}),
    );
    parameters.insert(
        "parameter".to_owned(),
        json!({"type": "SecureString", "value": canary("canary-#")}),
    );
    parameters.insert(
        "list".to_owned(),
        json!([{"deep": [{"sharedKey": canary("canary-#")}]}]),
    );
    parameters.insert(
        "url".to_owned(),
        format!("https://me:{}@host/", canary("canary-#")).into(),
    );
    let response = json!({
        "credentials": {"sessionToken": canary(long), "secretAccessKey": canary("wJalrXUtnFEMIaK7MDENGabPxRfiCYz3XAMP#")},
        "note": canary("ghp_0123456789abcdefABCDEF#"),
    });
    let mut record = record_of("e1", &format!("agent token={}", canary("canary-#")));
    record["requestParameters"] = Value::Object(parameters);
    record["responseElements"] = response;
    record["errorCode"] = "Failed".into();
    record["errorMessage"] = format!("password={} is wrong", canary("canary-#")).into();
    record["userIdentity"]["accessKeyId"] = canary("AKIAEXAMPLECANARY#").into();
    record["additionalEventData"] = json!({"Authorization": canary("Bearer canary-#")});
    record["serviceEventDetails"] = json!({"cookie": canary("canary-#")});
    assert_eq!(canaries.len(), 31);
    (record, canaries)
}

/// A question and a file of controls that show all columns with secrets, in a folder.
fn own_question(folder: &Path) -> (PathBuf, PathBuf) {
    let (queries, controls) = (folder.join("queries"), folder.join("own.toml"));
    fs::create_dir(&queries).unwrap();
    let columns = [
        "request_parameters",
        "response_elements",
        "user_agent",
        "error_message",
        "user_identity_access_key_id",
        "additional_event_data",
        "service_event_details",
    ];
    let header: String = columns
        .iter()
        .map(|name| format!("-- @column {name} utf8 It.\n"))
        .collect();
    let own = format!(
        "-- @id everything\n-- @title E\n-- @question What?\n{header}select {} from events\n",
        columns.join(", ")
    );
    fs::write(queries.join("everything.sql"), own).unwrap();
    let own = "[[exhibit]]\nid = 'everything'\nquestion = 'everything'\ntitle = 'E'\nshows = 'All.'\n\
               [[control]]\nframework = 'soc2'\nid = 'CC6.1'\ntitle = 'x'\n\
               evidence = [{ exhibit = 'everything', reason = 'r' }]\n";
    fs::write(&controls, own).unwrap();
    (queries, controls)
}

/// Which of the secrets stand in one of the files with this ending.
fn found<'c>(canaries: &'c [String], bundle: &BTreeMap<String, Vec<u8>>, ending: &str) -> BTreeSet<&'c str> {
    let files = bundle.iter().filter(|(name, _)| name.ends_with(ending));
    let contents: Vec<Vec<u8>> = files.map(|(name, content)| readable(name, content)).collect();
    assert!(!contents.is_empty(), "no file ends with `{ending}`");
    let contains = |content: &[u8], canary: &str| content.windows(canary.len()).any(|it| it == canary.as_bytes());
    let hits = canaries.iter().map(String::as_str);
    hits.filter(|canary| contents.iter().any(|content| contains(content, canary)))
        .collect()
}

/// The parts of a workbook, by name.
fn workbook_parts(content: &[u8]) -> BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(content)).unwrap();
    let names = archive.file_names().map(|name| name.unwrap().into_owned());
    let names: Vec<String> = names.collect();
    let part = |name: String| {
        let mut text = String::new();
        archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
        (name, text)
    };
    names.into_iter().map(part).collect()
}

/// The content of a file; Parquet and workbooks are compressed, so their rows are read back.
fn readable(name: &str, content: &[u8]) -> Vec<u8> {
    if name.ends_with(".xlsx") {
        let parts: Vec<String> = workbook_parts(content).into_values().collect();
        return parts.join("\n").into_bytes();
    }
    if !name.ends_with(".parquet") {
        return content.to_vec();
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(content)).unwrap();
    let mut text = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for column in batch
            .columns()
            .iter()
            .filter_map(|column| column.as_string_opt::<i32>())
        {
            for value in column.iter().flatten() {
                text.extend_from_slice(value.as_bytes());
                text.push(b'\n');
            }
        }
    }
    text
}

#[test]
fn canaries_in_thirty_fields_are_in_no_file_unless_redaction_is_off() {
    let place = process::Place::new();
    let (record, canaries) = planted_secrets();
    place.write("a.json", json!({"Records": [record]}).to_string().as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let (queries, controls) = own_question(place.folder());
    let export = |out: &str, more: &[&str]| {
        let out = place.folder().join(out).display().to_string();
        let arguments = [
            "evidence",
            "export",
            "--period",
            "2026Q3",
            "--framework",
            "soc2",
            "--out",
            &out,
            "--queries",
            queries.to_str().unwrap(),
            "--controls",
            controls.to_str().unwrap(),
        ];
        let ended = process::run(&place.store(), &[&arguments, more].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        files(Path::new(&out))
    };
    let redacted = export("redacted", &[]);
    let plain = export("plain", &["--no-redaction"]);
    for ending in ["", ".parquet", ".json", ".csv", ".xlsx"] {
        assert_eq!(found(&canaries, &redacted, ending), BTreeSet::new(), "{ending}");
        assert_eq!(found(&canaries, &plain, ending).len(), canaries.len(), "{ending}");
    }
    let table = place
        .folder()
        .join("redacted/tables/everything.json")
        .display()
        .to_string();
    assert!(
        fs::read_to_string(table).unwrap().contains("AKIA...4739"),
        "{redacted:?}"
    );
    // The bundle carries its own question and controls, so that it can be made again.
    let (bundle, store) = (place.folder().join("redacted"), place.store());
    let again = [
        "evidence",
        "verify",
        bundle.to_str().unwrap(),
        "--store",
        store.to_str().unwrap(),
    ];
    let ended = process::run(&place.store(), &again);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn parameters_do_not_change_the_period() {
    let bundled = Bundled::get();
    for name in ["since", "until"] {
        let ended = bundled.export("other", &["--param", &format!("{name}=2026-01-01")]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended.stderr.contains(&format!("`{name}` is no parameter of a bundle")),
            "{ended:?}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    let exhibit = "[[exhibit]]\nid = 'old'\nquestion = 'root-use'\ntitle = 'O'\nshows = 'All.'\n\
                   parameters = { since = '2020-01-01' }\n\
                   [[control]]\nframework = 'soc2'\nid = 'CC6.1'\ntitle = 'x'\n\
                   evidence = [{ exhibit = 'old', reason = 'r' }]\n";
    fs::write(&own, exhibit).unwrap();
    let ended = bundled.export("other", &["--controls", own.to_str().unwrap()]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.stderr.contains("`since` is no parameter of a bundle"),
        "{ended:?}"
    );
    assert!(!bundled.path("other").exists());
}

#[test]
fn bundle_made_with_other_facts_is_compared_with_the_same_only() {
    let bundled = Bundled::get();
    let folder = tempfile::tempdir().unwrap();
    let (reference, facts) = (folder.path().join("reference"), folder.path().join("facts"));
    fs::create_dir(&reference).unwrap();
    let moon = r#"{"Name":"moon","Version":"v1.4","Actions":[{"Name":"LaunchRocket"}],"Resources":[]}"#;
    fs::write(reference.join("moon.json"), moon).unwrap();
    let (reference, facts) = (reference.to_str().unwrap(), facts.to_str().unwrap());
    assert_eq!(bundled.run(&["facts", "import", reference, "--facts", facts]).code, 0);
    let out = folder.path().join("bundle");
    let export = [
        "evidence",
        "export",
        "--period",
        "2026-09-01..2026-09-15",
        "--framework",
        "soc2",
        "--facts",
        facts,
        "--out",
        out.to_str().unwrap(),
    ];
    let ended = bundled.run(&export);
    assert_eq!(ended.code, 4, "{ended:?}");
    let store = bundled.path("store");
    let again = |more: &[&str]| bundled.verify(&out, &[&["--store", store.to_str().unwrap()], more].concat());
    let with_others = again(&[]);
    assert_eq!(with_others.code, 2, "{with_others:?}");
    let said = with_others.stderr.replace("\n  ", " ");
    assert!(
        said.contains("made with other facts") && said.contains("imported moon"),
        "{said}"
    );
    let with_the_same = again(&["--facts", facts]);
    assert_eq!(with_the_same.code, 0, "{with_the_same:?}");
}

#[test]
fn hostile_names_are_text_on_the_page_and_in_the_tables() {
    let bundled = Bundled::get();
    let place = process::Place::new();
    let hostile = "</script><script>alert(1)</script><img/src=x/onerror=alert(2)>\u{202e}";
    let mut record = record_of("=cmd|' /C calc'!A0", hostile);
    record["sourceIPAddress"] = "=1+1".into();
    place.write("a.json", json!({"Records": [record]}).to_string().as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let out = place.folder().join("bundle").display().to_string();
    let ended = process::run(
        &place.store(),
        &[
            "evidence",
            "export",
            "--period",
            "2026Q3",
            "--out",
            &out,
            "--prepared-by",
            hostile,
        ],
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    for page in [Path::new(&out).join("index.html"), bundled.path("whole/index.html")] {
        let page = fs::read_to_string(page).unwrap();
        assert_loads_nothing(&page, 1);
    }
    let table = fs::read_to_string(Path::new(&out).join("tables/root-use.csv")).unwrap();
    assert!(table.contains("'=1+1") && !table.contains("\u{202e}"), "{table}");
}

#[test]
fn arguments_that_make_no_bundle_are_refused_and_nothing_is_replaced() {
    let bundled = Bundled::get();
    let out = bundled.path("refused").display().to_string();
    let export = |arguments: &[&str]| bundled.run(&[&["evidence", "export", "--out", &out], arguments].concat());
    for (arguments, told) in [
        (&["--period", "2026Q5"][..], "2026Q5"),
        (&["--period", "2026Q3", "--framework", "soc3"], "`soc3`"),
        (&["--period", "2026Q3", "--param", "colour=red"], "`colour`"),
        (&["--period", "2026Q3", "--queries", "/nonexistent"], "/nonexistent"),
    ] {
        let ended = export(arguments);
        assert!(matches!(ended.code, 1 | 2) && ended.stderr.contains(told), "{ended:?}");
    }
    assert!(!bundled.path("refused").exists());
    let there = bundled.path("whole").display().to_string();
    let ended = bundled.run(&["evidence", "export", "--period", "2026Q3", "--out", &there]);
    assert!(
        ended.code == 2 && ended.stderr.contains("is there already"),
        "{ended:?}"
    );
    let leftovers = fs::read_dir(bundled.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let hidden: Vec<_> = leftovers
        .filter(|name| name.to_string_lossy().starts_with(".evidence-"))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}
