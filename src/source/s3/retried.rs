//! What earlier runs could not read, and what was gone when they came to it.

use std::sync::Arc;

use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use super::bucket::Bucket;
use super::fault::Fault;
use crate::source::History;
use crate::source::Listing;
use crate::source::ObjectRef;

/// Objects that are looked for at once.
const LOOKED_FOR_AT_A_TIME: usize = 64;

/// What earlier runs could not read of what lies below a prefix.
pub(in crate::source) fn retried_below(bucket: &Arc<Bucket>, prefix: &str, history: &History) -> Listing {
    let (bucket_uri, prefix_uri) = (bucket.uri(""), bucket.uri(prefix));
    let pending = history
        .pending_below((bucket.endpoint(), &prefix_uri))
        .filter_map(|(uri, pending)| {
            let key = uri.strip_prefix(&bucket_uri)?;
            let mut object = bucket.object(key, &pending.etag, pending.size, None);
            object.last_modified = pending.last_modified;
            Some(object)
        });
    Listing {
        objects: pending.collect(),
        is_retried: true,
        ..Listing::default()
    }
}

/// Keys below a prefix of objects that were gone when earlier runs came to them.
pub(in crate::source) fn gone_below(bucket: &Bucket, prefix: &str, history: &History) -> Vec<String> {
    let (bucket_uri, prefix_uri) = (bucket.uri(""), bucket.uri(prefix));
    let gone = history.gone_below((bucket.endpoint(), &prefix_uri));
    let keys = gone.filter_map(|uri| uri.strip_prefix(&bucket_uri));
    keys.map(str::to_owned).collect()
}

/// The objects of these keys that are there again, as they are now.
///
/// # Errors
///
/// What hinders will hinder all others, too.
pub(in crate::source) async fn returned(
    bucket: &Arc<Bucket>,
    keys: Vec<String>,
) -> Result<Vec<ObjectRef>, (String, Fault)> {
    let asked = stream::iter(keys).map(|key| async move {
        match bucket.head(&key).await {
            Ok(object) => Ok(Some(object)),
            Err(fault) if fault.stops_the_run() => Err((bucket.uri(&key), fault)),
            Err(_) => Ok(None),
        }
    });
    let there: Vec<Option<ObjectRef>> = asked.buffered(LOOKED_FOR_AT_A_TIME).try_collect().await?;
    Ok(there.into_iter().flatten().collect())
}
