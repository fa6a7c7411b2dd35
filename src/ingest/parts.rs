//! The parts of a listing, for as long as the run is to go on.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::source::Lister;
use crate::source::Listing;
use crate::source::SourceError;

/// How often the signal to stop is looked for during a listing.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The next part; `None` at the end, or when the run is to stop.
pub(super) async fn next_part(lister: &mut Lister, stop: &AtomicBool) -> Result<Option<Listing>, SourceError> {
    let stopped = async {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::select! {
        part = lister.next() => part,
        () = stopped => Ok(None),
    }
}
