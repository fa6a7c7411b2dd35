//! Fetching ahead: many requests at a time on one side, decoding threads on the other, and a bound on the bytes between.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch::Work;
use super::batch::lock;
use crate::source;
use crate::source::Fault;
use crate::source::FaultKind;
use crate::source::Fetched;
use crate::source::ObjectRef;

/// Unit in which room for bytes is given out; every object takes at least one.
const ROOM: u64 = 16 << 10;
/// Objects that wait for an answer or for a decoding thread; the source decides how many requests that makes.
const MOST_ASKED_FOR: usize = 512;
/// How often the signal to stop is looked for while nothing else happens.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Time that requests under way get to end after the signal.
const GRACE: Duration = Duration::from_secs(5);
/// Objects that may get no answer one after another, after all repeats, before the rest is not even tried.
const MOST_UNANSWERED: u32 = 16;

/// One object for a decoding thread.
#[derive(Debug)]
pub(super) struct Delivery<'o> {
    /// Place in the plan.
    pub(super) position: usize,
    /// The object as it was listed.
    pub(super) listed: &'o ObjectRef,
    pub(super) fetched: Result<Fetched<'o>, Fault>,
    /// Room that the bytes take; given back when it is dropped.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// The side of the decoding threads.
#[derive(Debug)]
pub(super) struct Supply<'o> {
    deliveries: Mutex<mpsc::UnboundedReceiver<Delivery<'o>>>,
    room: Arc<Semaphore>,
}

/// The side of the requests.
#[derive(Debug)]
pub(super) struct Fetcher<'o> {
    deliveries: mpsc::UnboundedSender<Delivery<'o>>,
    room: Arc<Semaphore>,
    rooms: u32,
}

/// Both sides, with room for so many bytes between them.
pub(super) fn supply<'o>(bytes: usize) -> (Supply<'o>, Fetcher<'o>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let rooms = rooms_of(bytes as u64).min(1 << 20);
    let room = Arc::new(Semaphore::new(usize::try_from(rooms).unwrap_or(usize::MAX)));
    let supply = Supply {
        deliveries: Mutex::new(receiver),
        room: Arc::clone(&room),
    };
    let fetcher = Fetcher {
        deliveries: sender,
        room,
        rooms,
    };
    (supply, fetcher)
}

impl<'o> Delivery<'o> {
    /// Reads a file here and now.
    pub(super) fn read(position: usize, listed: &'o ObjectRef) -> Self {
        Self {
            position,
            listed,
            fetched: source::fetch_file(listed),
            room: None,
        }
    }
}

impl<'o> Supply<'o> {
    /// Waits for the next object; `None` when there are no more.
    pub(super) fn next(&self) -> Option<Delivery<'o>> {
        let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        deliveries.blocking_recv()
    }

    /// Ends the fetching, because a decoding thread has failed.
    pub(super) fn close(&self) {
        self.room.close();
    }
}

impl<'o> Fetcher<'o> {
    /// Fetches objects of the plan until the batch is full, and delivers them in the order in which they come.
    ///
    /// The answer says why the rest is not worth asking for, if so.
    pub(super) async fn run(self, work: &Work<'o, '_>) -> Option<Fault> {
        let mut under_way = FuturesUnordered::new();
        let mut outage = None;
        let mut failures = 0;
        let mut is_open = true;
        let mut next: Option<(usize, &'o ObjectRef)> = None;
        let mut stopped_at: Option<Instant> = None;
        while is_open || !under_way.is_empty() {
            if is_open && next.is_none() && under_way.len() < lock(work.refusals).room(MOST_ASKED_FOR) {
                next = work.take();
                is_open = next.is_some();
                if let Some((position, object)) = next
                    && work.passes_over(position, object)
                {
                    next = None;
                    continue;
                }
            }
            tokio::select! {
                // Deliver first: that frees the room that the next request waits for.
                biased;
                Some(delivery) = under_way.next() => {
                    outage = outage.or(judge(&delivery, &mut failures));
                    lock(work.refusals).note(delivery.listed, delivery.fetched.as_ref().err());
                    let is_taken = self.deliveries.send(delivery).is_ok();
                    is_open &= is_taken && outage.is_none();
                }
                Some(room) = self.room_for(next.filter(|_| is_open)) => {
                    let max_bytes = work.options.largest_fetched_bytes();
                    under_way.extend(next.take().map(|(position, object)| fetch(position, object, max_bytes, room)));
                }
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
            if work.stop.load(Ordering::Relaxed) {
                is_open = false;
                let is_over = stopped_at.get_or_insert_with(Instant::now).elapsed() > GRACE;
                if is_over {
                    return outage;
                }
            }
            if self.room.is_closed() {
                return outage;
            }
        }
        outage
    }

    /// Waits for room for a whole object; one that is larger than all room takes all of it.
    async fn room_for(&self, next: Option<(usize, &ObjectRef)>) -> Option<OwnedSemaphorePermit> {
        let (_, object) = next?;
        let rooms = rooms_of(object.size).min(self.rooms);
        Arc::clone(&self.room).acquire_many_owned(rooms).await.ok()
    }
}

async fn fetch(position: usize, listed: &ObjectRef, max_bytes: u64, room: OwnedSemaphorePermit) -> Delivery<'_> {
    Delivery {
        position,
        listed,
        fetched: source::fetch(listed, max_bytes).await,
        room: Some(room),
    }
}

fn rooms_of(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(ROOM).max(1)).unwrap_or(u32::MAX)
}

/// Whether a failed object tells that the next ones will fail as well.
fn judge(delivery: &Delivery<'_>, failures: &mut u32) -> Option<Fault> {
    match &delivery.fetched {
        Ok(_) => {
            *failures = 0;
            None
        }
        Err(fault) => {
            let most = match fault.kind {
                FaultKind::Unavailable => MOST_UNANSWERED,
                _ if fault.stops_the_run() => 1,
                // It says nothing of the next one.
                _ => return None,
            };
            *failures += 1;
            (*failures >= most).then(|| fault.clone())
        }
    }
}
