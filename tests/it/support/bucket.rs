//! Buckets that answer over HTTP as S3 does, with faults by script, and remember what they were asked: one with logs, which
//! only reads, and one for a store.

mod write;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::http::response::Builder;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use sha2::Digest;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::permissions::Permissions;
use super::process;
use super::process::Ended;

pub(crate) const BUCKET: &str = "central-logs";
/// A store in the bucket that can be written, under a prefix that has to be escaped.
pub(crate) const STORE: &str = "s3://trail-store/our trail/50% (ü)";
const STORE_BUCKET: &str = "trail-store";
/// The name under which the same bucket gives the sample, whose digests say that it lies there.
pub(crate) const SAMPLE_BUCKET: &str = "example-org-cloudtrail-logs";

/// 2026-09-30T00:00:00Z
const LOGS_WRITTEN_AT: Timestamp = Timestamp::constant(1_790_726_400, 0);

type Answer = Response<BoxBody<Bytes, std::io::Error>>;

/// A server with one bucket, gone with this value.
pub(crate) struct FakeBucket {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    /// Parts of uploads that are not complete, by id and number.
    uploads: BTreeMap<String, BTreeMap<usize, Bytes>>,
    is_writable: bool,
    requests: usize,
    /// Requests that wait for their answer now, and the most that ever did.
    waiting: usize,
    most_waiting: usize,
    /// Writes that took effect and whose answer got lost.
    lost_answers: usize,
    script: Script,
    asked: Vec<Asked>,
}

#[derive(Clone)]
struct Object {
    bytes: Bytes,
    metadata: Vec<(String, String)>,
    written_at: Timestamp,
}

/// What goes wrong.
#[derive(Clone)]
pub(crate) struct Script {
    /// Share of requests that are answered with 503, in per cent.
    pub(crate) busy_percent: usize,
    /// Most keys on a page.
    pub(crate) page_size: usize,
    /// Time before each answer.
    pub(crate) latency: Duration,
    /// Keys come in descending order.
    pub(crate) is_unsorted: bool,
    /// The keys of a page begin with its second half.
    pub(crate) is_shuffled: bool,
    /// What happens to single objects, as often as is said.
    pub(crate) faults: BTreeMap<String, (Trouble, usize)>,
    /// What happens to lists.
    pub(crate) list_trouble: Option<Trouble>,
    /// What becomes of the text of a list.
    pub(crate) list_edit: Option<fn(&str) -> String>,
    /// How many of the next lists with objects break off, without the connection telling it.
    pub(crate) short_lists: Arc<AtomicUsize>,
    /// What the caller may do; everything, without.
    pub(crate) permissions: Option<Permissions>,
    /// Key that encrypts all objects.
    pub(crate) kms_key: Option<String>,
    /// What happens to requests that write.
    pub(crate) writes: WriteScript,
}

/// What goes wrong with requests that write.
#[derive(Clone, Default)]
pub(crate) struct WriteScript {
    /// The answer to every `If-None-Match` that took effect gets lost.
    pub(crate) lost: Option<Lost>,
    /// Share of conditional requests that are answered with 409 and have no effect, in per cent.
    pub(crate) conflict_percent: usize,
    /// `If-None-Match` is ignored.
    pub(crate) is_careless: bool,
    /// Every write is denied.
    pub(crate) is_denied: bool,
    /// No part of an upload is taken.
    pub(crate) are_parts_denied: bool,
}

/// What comes instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// 500.
    Failure,
    /// The end of the connection.
    Silence,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Denied,
    KeyDenied,
    Archived,
    Missing,
    /// The connection ends after half of the bytes.
    Cut,
    /// Fewer bytes come, as if the object were shorter.
    Short,
    /// The first line comes alone, as if the object had no other.
    FirstLine,
    /// No byte comes, as if the object had none.
    Empty,
    /// In the place of a range the first bytes come, as many, and the answer says so.
    OtherRange,
    /// In the place of a range the first bytes come, as many, and nothing says so.
    NamelessRange,
    /// The answer names no etag.
    NoEtag,
    /// 204.
    NoContent,
    /// The object is replaced just before it is read.
    Replaced,
    Failing,
    ExpiredToken,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `LIST`, `GET`, `HEAD`, or what should not be asked.
    pub(crate) verb: String,
    /// Key, or the prefix of a list.
    pub(crate) key: String,
    pub(crate) start_after: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            busy_percent: 0,
            page_size: 1_000,
            latency: Duration::ZERO,
            is_unsorted: false,
            is_shuffled: false,
            faults: BTreeMap::new(),
            list_trouble: None,
            list_edit: None,
            short_lists: Arc::default(),
            permissions: None,
            kms_key: None,
            writes: WriteScript::default(),
        }
    }
}

impl FakeBucket {
    /// One with logs.
    pub(crate) fn new() -> Self {
        Self::with(State::default())
    }

    /// One for a store.
    pub(crate) fn writable() -> Self {
        Self::with(State {
            is_writable: true,
            ..State::default()
        })
    }

    fn with(state: State) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { answer(&shared, request).await }
                });
                stream.set_nodelay(true).unwrap();
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            address,
            state,
            _runtime: runtime,
        }
    }

    /// Puts an object into the bucket.
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Bytes>, metadata: &[(&str, &str)]) {
        let own = |text: &&str| (*text).to_owned();
        let object = Object {
            bytes: bytes.into(),
            metadata: metadata.iter().map(|(name, value)| (own(name), own(value))).collect(),
            written_at: LOGS_WRITTEN_AT,
        };
        self.state.lock().unwrap().objects.insert(key.to_owned(), object);
    }

    /// Puts every file of a folder into the bucket, under its path behind a prefix; `NAME.meta.json` is the metadata of
    /// `NAME`.
    pub(crate) fn put_folder(&self, folder: &Path, prefix: &str) -> usize {
        let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
        let files = files.filter(|entry| entry.file_type().is_file());
        let files: Vec<_> = files
            .filter(|entry| !entry.path().to_string_lossy().ends_with(".meta.json"))
            .collect();
        for file in &files {
            let path = file.path().strip_prefix(folder).unwrap().to_str().unwrap();
            let head = std::fs::read(format!("{}.meta.json", file.path().display())).unwrap_or_default();
            let head: serde_json::Value = serde_json::from_slice(&head).unwrap_or_default();
            let metadata = head["Metadata"].as_object().into_iter().flatten();
            let metadata: Vec<(&str, &str)> = metadata
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            self.put(
                &format!("{prefix}{path}"),
                std::fs::read(file.path()).unwrap(),
                &metadata,
            );
        }
        files.len()
    }

    /// Makes all objects look as if they had been written so long before now.
    pub(crate) fn age(&self, age: SignedDuration) {
        let written_at = Timestamp::now() - age;
        let mut state = self.state.lock().unwrap();
        state
            .objects
            .values_mut()
            .for_each(|object| object.written_at = written_at);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.state.lock().unwrap().objects.remove(key).unwrap();
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    /// Key, etag and size of every object.
    pub(crate) fn objects(&self) -> Vec<(String, String, usize)> {
        let state = self.state.lock().unwrap();
        let objects = state.objects.iter();
        objects
            .map(|(key, object)| (key.clone(), etag(object), object.bytes.len()))
            .collect()
    }

    /// How many uploads in parts were begun and neither ended nor given up.
    pub(crate) fn open_uploads(&self) -> usize {
        self.state.lock().unwrap().uploads.len()
    }

    /// How many requests waited for their answer at a time, at most.
    pub(crate) fn most_waiting(&self) -> usize {
        self.state.lock().unwrap().most_waiting
    }

    /// How many writes took effect whose answer got lost.
    pub(crate) fn lost_answers(&self) -> usize {
        self.state.lock().unwrap().lost_answers
    }

    /// Changes what goes wrong.
    pub(crate) fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.state.lock().unwrap().script);
    }

    /// Everything asked since the last time, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// The program, with credentials for this bucket and nothing else of AWS.
    pub(crate) fn command(&self, store: &Path, arguments: &[&str]) -> Command {
        let mut command = process::trimtrail(store, arguments);
        credentials(&mut command).args(["--endpoint-url", &format!("http://{}", self.address), "--path-style"]);
        command
    }

    /// The same, with the endpoint in the environment and not on the command line.
    pub(crate) fn command_by_environment(&self, store: &Path, arguments: &[&str]) -> Command {
        let mut command = process::trimtrail(store, arguments);
        let endpoint = format!("http://{}/", self.address);
        credentials(&mut command)
            .env("AWS_ENDPOINT_URL_S3", endpoint)
            .arg("--path-style");
        command
    }

    /// Has a program keep its store in this bucket.
    pub(crate) fn keep_store<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        credentials(command)
            .env("TRIMTRAIL_STORE", STORE)
            .env("TRIMTRAIL_STORE_ENDPOINT_URL", format!("http://{}", self.address))
            .env("TRIMTRAIL_STORE_PATH_STYLE", "true")
    }

    /// Runs `ingest` over a source.
    pub(crate) fn ingest(&self, store: &Path, source: &str, options: &[&str]) -> Ended {
        let mut arguments = vec!["ingest", source];
        arguments.extend(options);
        self.run(store, &arguments)
    }

    /// Runs the program with these arguments.
    pub(crate) fn run(&self, store: &Path, arguments: &[&str]) -> Ended {
        process::ended(self.command(store, arguments).output().unwrap())
    }
}

/// Credentials, and nothing else of AWS.
fn credentials(command: &mut Command) -> &mut Command {
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
}

/// Names of the bucket that a server stands for.
fn names(is_writable: bool) -> &'static [&'static str] {
    match is_writable {
        true => &[STORE_BUCKET],
        false => &[BUCKET, SAMPLE_BUCKET],
    }
}

/// The error is the end of the connection.
async fn answer(state: &Mutex<State>, request: Request<Incoming>) -> Result<Answer, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let request = Request::from_parts(head, body);
    let path = request.uri().path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let key = decoded(key);
    let query: BTreeMap<String, String> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let is_list = query.get("list-type").is_some_and(|value| value == "2");
    let is_writable = state.lock().unwrap().is_writable;
    let verb = match *request.method() {
        _ if is_writable && write::verb(&request, &query).is_some() => {
            write::verb(&request, &query).unwrap().to_owned()
        }
        Method::GET if is_list && key.is_empty() => "LIST".to_owned(),
        Method::GET if !key.is_empty() => "GET".to_owned(),
        Method::HEAD if !key.is_empty() => "HEAD".to_owned(),
        ref other => format!("{other} {}", request.uri()),
    };
    let (latency, is_busy) = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked {
            verb: verb.clone(),
            key: if is_list { query["prefix"].clone() } else { key.clone() },
            start_after: query.get("start-after").cloned(),
        });
        let drawn = draw(&mut state);
        (state.script.latency, drawn < state.script.busy_percent)
    };
    if !latency.is_zero() {
        wait(state, latency).await;
    }
    if path.is_empty() && request.method() == Method::POST {
        return Ok(plain(200, "text/xml", CALLER.to_owned()));
    }
    if !names(is_writable).contains(&bucket) {
        return Ok(fault(404, "NoSuchBucket", "The specified bucket does not exist"));
    }
    if is_busy {
        return Ok(fault(503, "SlowDown", "Please reduce your request rate."));
    }
    let mut state = state.lock().unwrap();
    if let Some(refusal) = refusal(&state, &verb, &key, &query) {
        return Ok(refusal);
    }
    Ok(match verb.as_str() {
        "LIST" => list(&state, &query),
        "GET" | "HEAD" => object(&mut state, &request, &key),
        _ if is_writable => return write::answer(&mut state, &request, &key, &query),
        _ => fault(405, "MethodNotAllowed", "The specified method is not allowed"),
    })
}

/// Lets a request wait, and counts those that do.
async fn wait(state: &Mutex<State>, latency: Duration) {
    {
        let mut state = state.lock().unwrap();
        state.waiting += 1;
        state.most_waiting = state.most_waiting.max(state.waiting);
    }
    tokio::time::sleep(latency).await;
    state.lock().unwrap().waiting -= 1;
}

/// A number below 100, as if drawn: the next one says nothing of it (splitmix64).
fn draw(state: &mut State) -> usize {
    state.requests += 1;
    let mut drawn = u64::try_from(state.requests)
        .unwrap()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        drawn = (drawn ^ (drawn >> shift)).wrapping_mul(factor);
    }
    usize::try_from((drawn ^ (drawn >> 31)) % 100).unwrap()
}

/// Who the token service says the caller is.
const CALLER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/batch/i</Arn><UserId>AROAEXAMPLE:i</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// Refuses what the permissions do not allow.
fn refusal(state: &State, verb: &str, key: &str, query: &BTreeMap<String, String>) -> Option<Answer> {
    let permissions = state.script.permissions.as_ref()?;
    let name = if state.is_writable { STORE_BUCKET } else { BUCKET };
    let bucket = format!("arn:aws:s3:::{name}");
    let prefix = query.get("prefix").map(String::as_str);
    let action = match verb {
        "LIST" => "s3:ListBucket",
        "GET" | "HEAD" => "s3:GetObject",
        "DELETE" => "s3:DeleteObject",
        "ABORT" => "s3:AbortMultipartUpload",
        _ => "s3:PutObject",
    };
    let is_allowed = match verb {
        "LIST" => permissions.allow(action, &bucket, prefix),
        _ => permissions.allow(action, &format!("{bucket}/{key}"), None),
    };
    // Whoever may not list the bucket, without regard to a prefix, does not learn that an object is not there.
    let is_hidden = action == "s3:GetObject"
        && !state.objects.contains_key(key)
        && !permissions.allow("s3:ListBucket", &bucket, None);
    if !is_allowed || is_hidden {
        return troubled(Trouble::Denied);
    }
    let actions: &[&str] = match verb {
        "GET" => &["kms:Decrypt"],
        "PUT" | "CREATE" => &["kms:GenerateDataKey"],
        "BEGIN" | "PART" | "COMPLETE" => &["kms:Decrypt", "kms:GenerateDataKey"],
        _ => &[],
    };
    let key = state.script.kms_key.as_ref()?;
    let missing = actions.iter().find(|action| !permissions.allow(action, key, None));
    missing.map(|action| key_denied(action))
}

fn list(state: &State, query: &BTreeMap<String, String>) -> Answer {
    if let Some(answer) = state.script.list_trouble.and_then(troubled) {
        return answer;
    }
    assert_eq!(query["encoding-type"], "url");
    let mut page = Page::of(state, query);
    if state.script.is_shuffled {
        let half = page.keys.len() / 2;
        page.keys.rotate_left(half);
    }
    let contents = page.keys.iter().map(|key| {
        let object = &state.objects[*key];
        let (key, etag, size, time) = (encoded(key), etag(object), object.bytes.len(), object.written_at);
        format!("<Contents><Key>{key}</Key><LastModified>{time:.3}</LastModified><ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>")
    });
    let contents: String = contents.collect();
    let folders = page.folders.iter().map(|folder| encoded(folder));
    let folders: String = folders
        .map(|folder| format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"))
        .collect();
    let next = page.next.as_deref().map(token_of);
    let next = next.map_or_else(String::new, |token| {
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    });
    let is_truncated = page.next.is_some();
    let count = page.keys.len() + page.folders.len();
    let name = if state.is_writable { STORE_BUCKET } else { BUCKET };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{name}</Name><EncodingType>url</EncodingType><KeyCount>{count}</KeyCount><IsTruncated>{is_truncated}</IsTruncated>{next}{contents}{folders}</ListBucketResult>"
    );
    let text = state.script.list_edit.map_or(text.clone(), |edit| edit(&text));
    let short = &state.script.short_lists;
    let is_short = !contents.is_empty()
        && short
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok();
    let end = if is_short {
        text.find("</Contents>").unwrap()
    } else {
        text.len()
    };
    plain(200, "application/xml", text.get(..end).unwrap().to_owned())
}

/// What one list answers.
#[derive(Default)]
struct Page<'a> {
    keys: Vec<&'a String>,
    folders: Vec<String>,
    /// Last key of a page that is not the last.
    next: Option<String>,
}

impl<'a> Page<'a> {
    fn of(state: &'a State, query: &BTreeMap<String, String>) -> Self {
        let prefix = &query["prefix"];
        let most = query.get("max-keys").map_or(1_000, |number| number.parse().unwrap());
        let most = state.script.page_size.min(most);
        let mut page = Self::default();
        let mut last = None;
        for key in wanted_keys(state, query) {
            let end = query.get("delimiter").and_then(|_| key.get(prefix.len()..)?.find('/'));
            let folder = end.and_then(|end| key.get(..=prefix.len() + end)).map(str::to_owned);
            let is_told = folder.is_some() && page.folders.last() == folder.as_ref();
            if !is_told && page.keys.len() + page.folders.len() == most {
                page.next = last;
                return page;
            }
            last = Some(key.clone());
            match folder {
                Some(_) if is_told => {}
                Some(folder) => page.folders.push(folder),
                None => page.keys.push(key),
            }
        }
        page
    }
}

/// Keys below the prefix and behind the start, in the order of the server.
fn wanted_keys<'a>(state: &'a State, query: &BTreeMap<String, String>) -> Vec<&'a String> {
    let prefix = &query["prefix"];
    let token = query.get("continuation-token").map(|token| key_of(token));
    let mut keys: Vec<&String> = state.objects.keys().filter(|key| key.starts_with(prefix)).collect();
    if state.script.is_unsorted {
        keys.reverse();
        let skipped = token.map_or(0, |token| keys.iter().position(|key| **key == token).unwrap() + 1);
        keys.drain(..skipped);
    } else if let Some(start) = token.as_ref().or_else(|| query.get("start-after")) {
        keys.retain(|key| *key > start);
    }
    keys
}

/// What the script has for this request to an object, which it uses up.
fn trouble_of(state: &mut State, key: &str) -> Option<Trouble> {
    let (trouble, times) = state.script.faults.get_mut(key).filter(|(_, times)| *times > 0)?;
    *times -= 1;
    let trouble = *trouble;
    if trouble == Trouble::Replaced {
        let replaced = state.objects.get_mut(key).unwrap();
        replaced.bytes = [replaced.bytes.as_ref(), b"\n"].concat().into();
    }
    Some(trouble)
}

/// Half of the bytes, and then the end of the connection.
fn cut(half: Bytes) -> BoxBody<Bytes, std::io::Error> {
    let pieces = [Ok(Frame::data(half)), Err(std::io::Error::other("cut"))];
    // The head of the answer goes out first.
    let pieces = stream::iter(pieces).then(|piece| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        piece
    });
    BoxBody::new(StreamBody::new(pieces))
}

/// Begin and end of a range.
fn range_of(range: &str, size: usize) -> (usize, usize) {
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    match (first, last) {
        ("", count) => (size.saturating_sub(count.parse().unwrap()), size),
        (first, "") => (first.parse().unwrap(), size),
        (first, last) => (first.parse().unwrap(), size.min(last.parse::<usize>().unwrap() + 1)),
    }
}

fn object(state: &mut State, request: &Request<Bytes>, key: &str) -> Answer {
    let trouble = trouble_of(state, key);
    if let Some(answer) = trouble.and_then(troubled) {
        return answer;
    }
    let Some(object) = state.objects.get(key) else {
        return fault(404, "NoSuchKey", "The specified key does not exist.");
    };
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
    let quoted = format!("\"{}\"", etag(object));
    if header("if-match").is_some_and(|wanted| wanted != quoted) {
        return fault(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        );
    }
    let mut bytes = object.bytes.clone();
    let (mut status, mut content_range) = (200, None);
    if let Some(range) = header("range") {
        let size = bytes.len();
        let (first, end) = range_of(range, size);
        if first >= end {
            return fault(416, "InvalidRange", "The requested range is not satisfiable");
        }
        let (first, end) = match trouble {
            Some(Trouble::OtherRange | Trouble::NamelessRange) => (0, end - first),
            _ => (first, end),
        };
        bytes = bytes.slice(first..end);
        status = 206;
        let is_told = trouble != Some(Trouble::NamelessRange);
        content_range = is_told.then(|| format!("bytes {first}-{}/{size}", end - 1));
    }
    let told_etag = Some(quoted).filter(|_| trouble != Some(Trouble::NoEtag));
    let mut answer = Response::builder()
        .status(status)
        .header("last-modified", http_date(object.written_at));
    for (name, value) in [
        ("content-range", &content_range),
        ("etag", &told_etag),
        ("x-amz-server-side-encryption-aws-kms-key-id", &state.script.kms_key),
    ] {
        answer = value.iter().fold(answer, |answer, value| answer.header(name, value));
    }
    answer = with_metadata(answer, object);
    let half = bytes.slice(..bytes.len() / 2);
    let bytes = shortened(trouble.filter(|_| request.method() == Method::GET), &bytes);
    let body = match trouble {
        _ if request.method() == Method::HEAD => {
            answer = answer.header("content-length", bytes.len());
            whole(Bytes::new())
        }
        Some(Trouble::Cut) => {
            answer = answer.header("content-length", bytes.len());
            cut(half)
        }
        _ => whole(bytes),
    };
    answer.body(body).unwrap()
}

fn with_metadata(answer: Builder, object: &Object) -> Builder {
    let metadata = object.metadata.iter();
    metadata.fold(answer, |answer, (name, value)| {
        answer.header(format!("x-amz-meta-{name}"), value)
    })
}

/// What comes in the place of all bytes, as if there were no more.
fn shortened(trouble: Option<Trouble>, bytes: &Bytes) -> Bytes {
    let end = match trouble {
        Some(Trouble::Short) => bytes.len() / 2,
        Some(Trouble::FirstLine) => bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1,
        Some(Trouble::Empty) => 0,
        _ => bytes.len(),
    };
    bytes.slice(..end)
}

fn key_denied(action: &str) -> Answer {
    let denied = "User: arn:aws:sts::111122223333:assumed-role/batch/i is not authorized to perform:";
    let message = format!("{denied} {action} on resource: arn:aws:kms:eu-west-1:111122223333:key/1");
    fault(403, "AccessDenied", &message)
}

/// The answer to a request in trouble, unless the trouble comes with the bytes.
fn troubled(trouble: Trouble) -> Option<Answer> {
    match trouble {
        Trouble::Denied => Some(fault(403, "AccessDenied", "Access Denied")),
        Trouble::KeyDenied => Some(key_denied("kms:Decrypt")),
        Trouble::Archived => Some(fault(
            403,
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
        )),
        Trouble::Missing => Some(fault(404, "NoSuchKey", "The specified key does not exist.")),
        Trouble::Failing => Some(fault(
            500,
            "InternalError",
            "We encountered an internal error. Please try again.",
        )),
        Trouble::ExpiredToken => Some(fault(400, "ExpiredToken", "The provided token has expired.")),
        Trouble::NoContent => Some(plain(204, "application/octet-stream", String::new())),
        Trouble::Cut
        | Trouble::Short
        | Trouble::FirstLine
        | Trouble::Empty
        | Trouble::OtherRange
        | Trouble::NamelessRange
        | Trouble::NoEtag
        | Trouble::Replaced => None,
    }
}

fn http_date(time: Timestamp) -> String {
    rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .unwrap()
}

fn fault(status: u16, code: &str, message: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    plain(status, "application/xml", text)
}

fn plain(status: u16, kind: &str, text: String) -> Answer {
    let answer = Response::builder().status(status).header("content-type", kind);
    answer.body(whole(text.into())).unwrap()
}

fn whole(bytes: Bytes) -> BoxBody<Bytes, std::io::Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn etag(object: &Object) -> String {
    format!("{:x}", Sha256::digest(&object.bytes)).split_off(32)
}

/// Tokens say nothing to those who get them.
fn token_of(key: &str) -> String {
    key.bytes()
        .fold(String::new(), |token, byte| format!("{token}{byte:02x}"))
}

fn key_of(token: &str) -> String {
    let bytes = (0..token.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(token.get(at..at + 2).unwrap(), 16).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&others[..2]).unwrap(), 16).unwrap());
            rest = &others[2..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'/' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            letter if letter.is_ascii_alphanumeric() => encoded.push(char::from(letter)),
            other => write!(encoded, "%{other:02X}").unwrap(),
        }
    }
    encoded
}
