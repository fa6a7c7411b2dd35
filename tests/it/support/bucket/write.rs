//! Requests that write: whole objects, on condition or not, and uploads in parts.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use jiff::Timestamp;

use super::Answer;
use super::Lost;
use super::Object;
use super::State;
use super::draw;
use super::etag;
use super::fault;
use super::plain;
use super::whole;

/// What is asked for, as the tests name it; `None` for a request that reads.
pub(super) fn verb(request: &Request<Bytes>, query: &BTreeMap<String, String>) -> Option<&'static str> {
    let is_part = query.contains_key("uploadId");
    match *request.method() {
        Method::PUT if is_part => Some("PART"),
        Method::PUT if is_conditional(request) => Some("CREATE"),
        Method::PUT => Some("PUT"),
        Method::POST if query.contains_key("uploads") => Some("BEGIN"),
        Method::POST if is_part => Some("COMPLETE"),
        Method::DELETE if is_part => Some("ABORT"),
        Method::DELETE => Some("DELETE"),
        _ => None,
    }
}

pub(super) fn answer(
    state: &mut State,
    request: &Request<Bytes>,
    key: &str,
    query: &BTreeMap<String, String>,
) -> Result<Answer, std::io::Error> {
    let writes = &state.script.writes;
    let verb = verb(request, query).unwrap_or_default();
    if writes.is_denied || writes.are_parts_denied && verb == "PART" {
        return Ok(fault(403, "AccessDenied", "Access Denied"));
    }
    Ok(match verb {
        "CREATE" => return create(state, request, key),
        "PUT" => put(state, key, request.body().clone()),
        "BEGIN" => {
            let id = format!("upload-{}", state.requests);
            state.uploads.insert(id.clone(), BTreeMap::new());
            let text =
                format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
            plain(200, "application/xml", text)
        }
        "PART" => {
            let part = Object {
                bytes: request.body().clone(),
                metadata: Vec::new(),
                written_at: Timestamp::now(),
            };
            let etag = etag(&part);
            let parts = state.uploads.get_mut(&query["uploadId"]).unwrap();
            parts.insert(query["partNumber"].parse().unwrap(), part.bytes);
            Response::builder()
                .header("etag", format!("\"{etag}\""))
                .body(whole(Bytes::new()))
                .unwrap()
        }
        "COMPLETE" => match state.uploads.remove(&query["uploadId"]) {
            None => fault(404, "NoSuchUpload", "The specified upload does not exist."),
            Some(parts) => {
                let bytes: Vec<Bytes> = parts.into_values().collect();
                drop(put(state, key, bytes.concat().into()));
                let text = "<CompleteMultipartUploadResult><ETag>&quot;x&quot;</ETag></CompleteMultipartUploadResult>";
                plain(200, "application/xml", text.to_owned())
            }
        },
        "ABORT" => {
            state.uploads.remove(&query["uploadId"]);
            plain(204, "application/xml", String::new())
        }
        "DELETE" => {
            state.objects.remove(key);
            plain(204, "application/xml", String::new())
        }
        other => panic!("{other}: {}", request.uri()),
    })
}

fn create(state: &mut State, request: &Request<Bytes>, key: &str) -> Result<Answer, std::io::Error> {
    if draw(state) < state.script.writes.conflict_percent {
        let message = "The conditional request cannot succeed due to a conflicting operation against this resource.";
        return Ok(fault(409, "ConditionalRequestConflict", message));
    }
    if state.objects.contains_key(key) && !state.script.writes.is_careless {
        return Ok(fault(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        ));
    }
    let stored = put(state, key, request.body().clone());
    state.lost_answers += usize::from(state.script.writes.lost.is_some());
    match state.script.writes.lost {
        None => Ok(stored),
        Some(Lost::Failure) => Ok(fault(
            500,
            "InternalError",
            "We encountered an internal error. Please try again.",
        )),
        Some(Lost::Silence) => Err(std::io::Error::other("cut")),
    }
}

fn put(state: &mut State, key: &str, bytes: Bytes) -> Answer {
    let object = Object {
        bytes,
        metadata: Vec::new(),
        written_at: Timestamp::now(),
    };
    let etag = etag(&object);
    state.objects.insert(key.to_owned(), object);
    Response::builder()
        .header("etag", format!("\"{etag}\""))
        .body(whole(Bytes::new()))
        .unwrap()
}

fn is_conditional(request: &Request<Bytes>) -> bool {
    request.headers().get("if-none-match").is_some_and(|value| value == "*")
}
