//! What earlier runs could not read, and what was gone when they came to it.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::bucket::Bucket;
use super::fault::FaultKind;
use crate::source::History;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::history::Pending;

/// Objects that are looked for at once.
const LOOKED_FOR_AT_A_TIME: usize = 64;

/// What earlier runs could not read of what lies below a prefix.
pub(in crate::source) fn retried_below(bucket: &Arc<Bucket>, prefix: &str, history: &History) -> Listing {
    let uri = bucket.uri(prefix);
    let mut pending: Vec<_> = history.pending_below((bucket.endpoint(), &uri)).collect();
    // If not all can be tried, each has its turn.
    pending.sort_by_key(|(_, pending)| pending.tried_at);
    Listing {
        objects: pending
            .into_iter()
            .filter_map(|waiting| object(bucket, waiting))
            .collect(),
        is_retried: true,
        ..Listing::default()
    }
}

/// What was gone below a prefix when earlier runs came to it, as it was.
pub(in crate::source) fn gone_below(bucket: &Arc<Bucket>, prefix: &str, history: &History) -> Vec<ObjectRef> {
    let uri = bucket.uri(prefix);
    let gone = history.gone_below((bucket.endpoint(), &uri));
    gone.filter_map(|waiting| object(bucket, waiting)).collect()
}

fn object(bucket: &Arc<Bucket>, (uri, pending): (&String, &Pending)) -> Option<ObjectRef> {
    let key = uri.strip_prefix(&bucket.uri(""))?;
    Some(ObjectRef {
        last_modified: pending.last_modified,
        may_be_gone: true,
        ..bucket.object(key, &pending.etag, pending.size, None)
    })
}

/// Those of the objects that were gone that are there again, as they are now. One of which this cannot be told is among them as
/// it was: reading it shows what hinders.
pub(in crate::source) async fn returned(bucket: &Arc<Bucket>, gone: Vec<ObjectRef>) -> Vec<ObjectRef> {
    let asked = stream::iter(gone).map(|object| async move {
        let key = object.bucket_key(bucket)?;
        match bucket.head(key).await {
            Ok(found) => Some(found),
            Err(fault) if fault.kind == FaultKind::Vanished => None,
            Err(fault) if fault.kind == FaultKind::Denied && bucket.lists_no(key).await => None,
            Err(_) => Some(object),
        }
    });
    let found = asked.buffered(LOOKED_FOR_AT_A_TIME);
    found.filter_map(async |object| object).collect().await
}
