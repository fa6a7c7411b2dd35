//! A folder of objects, served as a bucket of S3 with latency: enough for lists, reads and ranges, and cheap, so that what is
//! measured beside it is not the server.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const PAGE: usize = 1_000;
/// Larger objects stay on disk.
const LARGEST_IN_MEMORY: u64 = 1 << 20;

type Answer = Response<Full<Bytes>>;

struct Object {
    key: String,
    size: u64,
    content: Content,
}

enum Content {
    Memory(Bytes),
    File(PathBuf),
}

/// Serves until standard input ends, on one thread. The bucket may have any name.
pub(crate) fn serve(folder: &Path, latency: Duration) -> Result<(), Box<dyn Error>> {
    let objects = Arc::new(load(folder)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            std::io::stdin().read_to_end(&mut Vec::new()).ok();
            ended.send(()).ok();
        });
        tokio::select! {
            result = accept(&listener, &objects, latency) => result,
            _ = end => Ok(()),
        }
    })
}

async fn accept(listener: &TcpListener, objects: &Arc<Vec<Object>>, latency: Duration) -> Result<(), Box<dyn Error>> {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let objects = Arc::clone(objects);
        let service = service_fn(move |request| {
            let objects = Arc::clone(&objects);
            async move {
                tokio::time::sleep(latency).await;
                Ok::<_, Infallible>(answer(&objects, &request))
            }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// All files below a folder, by key.
fn load(folder: &Path) -> Result<Vec<Object>, Box<dyn Error>> {
    let mut objects = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(current)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let (path, size) = (entry.path(), entry.metadata()?.len());
            let key = path.strip_prefix(folder)?.display().to_string();
            let content = if size <= LARGEST_IN_MEMORY {
                Content::Memory(fs::read(&path)?.into())
            } else {
                Content::File(path)
            };
            objects.push(Object { key, size, content });
        }
    }
    objects.sort_by(|left, right| left.key.cmp(&right.key));
    Ok(objects)
}

fn answer(objects: &[Object], request: &Request<Incoming>) -> Answer {
    let path = decoded(request.uri().path());
    let (_, key) = path.trim_start_matches('/').split_once('/').unwrap_or((&path, ""));
    if key.is_empty() {
        return list(objects, request.uri().query().unwrap_or_default());
    }
    let found = objects.binary_search_by(|object| object.key.as_str().cmp(key));
    match found.ok().and_then(|position| objects.get(position)) {
        Some(object) => read(object, request).unwrap_or_else(|_| status(500)),
        None => status(404),
    }
}

fn read(object: &Object, request: &Request<Incoming>) -> Result<Answer, Box<dyn Error>> {
    let range = request.headers().get("range").and_then(|range| range.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (first, end) = match range {
        Some((first, last)) => (
            first.parse::<u64>()?,
            last.parse::<u64>()?.saturating_add(1).min(object.size),
        ),
        None => (0, object.size),
    };
    let mut answer = Response::builder();
    if range.is_some() {
        let last = end.saturating_sub(1);
        answer = answer.header("content-range", format!("bytes {first}-{last}/{}", object.size));
    }
    let answer = answer
        .status(if range.is_some() { 206 } else { 200 })
        .header("etag", format!("\"{:032x}\"", object.size))
        .header("last-modified", "Wed, 30 Sep 2026 00:00:00 GMT");
    if request.method() == Method::HEAD {
        return Ok(answer.header("content-length", object.size).body(Full::default())?);
    }
    let (start, length) = (usize::try_from(first)?, usize::try_from(end.saturating_sub(first))?);
    let bytes = match &object.content {
        Content::Memory(bytes) => bytes.slice(start..start + length),
        Content::File(path) => {
            let mut bytes = vec![0; length];
            fs::File::open(path)?.read_exact_at(&mut bytes, first)?;
            bytes.into()
        }
    };
    Ok(answer.body(Full::new(bytes))?)
}

fn list(objects: &[Object], query: &str) -> Answer {
    let query: BTreeMap<&str, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, decoded(value)))
        .collect();
    let get = |name: &str| query.get(name).map_or("", String::as_str);
    let (prefix, after) = (get("prefix"), get("start-after").max(get("continuation-token")));
    let most = get("max-keys").parse().unwrap_or(PAGE).min(PAGE);
    let start = objects.partition_point(|object| {
        object.key.as_str() < prefix || (!after.is_empty() && object.key.as_str().cmp(after) != Ordering::Greater)
    });
    let below = objects
        .iter()
        .skip(start)
        .take_while(|object| object.key.starts_with(prefix));
    let (mut contents, mut folders, mut last, mut count) = (String::new(), BTreeSet::new(), None, 0);
    let mut is_truncated = false;
    for object in below {
        let rest = object.key.strip_prefix(prefix).unwrap_or_default();
        let folder = rest.split_once('/').filter(|_| get("delimiter") == "/");
        let is_new = folder.is_none_or(|(name, _)| !folders.contains(name));
        if is_new && count == most {
            is_truncated = true;
            break;
        }
        count += usize::from(is_new);
        last = Some(&object.key);
        match folder {
            Some((name, _)) => drop(folders.insert(name)),
            None => contents.push_str(&format!(
                "<Contents><Key>{}</Key><LastModified>2026-09-30T00:00:00.000Z</LastModified><ETag>&quot;{:032x}&quot;</ETag><Size>{}</Size></Contents>",
                object.key, object.size, object.size
            )),
        }
    }
    let folders: String = folders
        .iter()
        .map(|name| format!("<CommonPrefixes><Prefix>{prefix}{name}/</Prefix></CommonPrefixes>"))
        .collect();
    let next = last.filter(|_| is_truncated).map_or_else(String::new, |key| {
        format!("<NextContinuationToken>{key}</NextContinuationToken>")
    });
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>{is_truncated}</IsTruncated><KeyCount>{count}</KeyCount>{next}{contents}{folders}</ListBucketResult>"
    );
    Response::new(Full::new(text.into()))
}

fn status(status: u16) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    answer
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() {
            others.get(2..).unwrap_or_default()
        } else {
            others
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
