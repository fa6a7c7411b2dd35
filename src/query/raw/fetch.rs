//! Bytes of objects, in order: files as they are wanted, objects of a bucket many at a time and ahead.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::source;
use crate::source::Content;
use crate::source::Fault;
use crate::source::ObjectRef;

/// Objects of a bucket that one part of a query asks for at a time.
const ASKED_AT_A_TIME: usize = 32;
/// Unit in which room for bytes is given out; every object takes at least one.
const ROOM: u64 = 16 << 10;
/// Room for the objects that are asked for or wait: 64 MiB. A larger object takes all of it.
const ROOMS: u32 = 4 << 10;

/// Objects with their bytes, in their order.
#[derive(Debug)]
pub(super) struct Contents {
    objects: Arc<Vec<ObjectRef>>,
    next: usize,
    ahead: Option<Ahead>,
}

/// What fetches ahead; it ends with this.
#[derive(Debug)]
struct Ahead {
    fetched: mpsc::Receiver<(Result<Content, Fault>, Option<OwnedSemaphorePermit>)>,
    task: JoinHandle<()>,
}

/// One object with its bytes, or why there are none. Its room is given back with it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) position: usize,
    pub(super) content: Result<Content, Fault>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Contents {
    /// Begins to fetch, on this runtime.
    pub(super) fn new(objects: Arc<Vec<ObjectRef>>, runtime: &Handle) -> Self {
        let is_remote = objects.iter().any(ObjectRef::is_remote);
        Self {
            ahead: is_remote.then(|| Ahead::begin(Arc::clone(&objects), runtime)),
            objects,
            next: 0,
        }
    }

    /// The next object; `None` at the end. Blocks.
    pub(super) fn next(&mut self) -> Option<Item> {
        let position = self.next;
        let object = self.objects.get(position)?;
        self.next += 1;
        let (content, room) = match &mut self.ahead {
            None => (source::open(object).map_err(|cause| Fault::of_file(&cause)), None),
            // Every object is answered, unless what fetches them has come to an end: then those behind are no fewer.
            Some(ahead) => ahead
                .fetched
                .blocking_recv()
                .unwrap_or_else(|| (Err(Fault::broken_off()), None)),
        };
        Some(Item {
            position,
            content,
            _room: room,
        })
    }
}

impl Ahead {
    fn begin(objects: Arc<Vec<ObjectRef>>, runtime: &Handle) -> Self {
        let (sender, fetched) = mpsc::channel(1);
        let room = Arc::new(Semaphore::new(usize::try_from(ROOMS).unwrap_or(usize::MAX)));
        let task = runtime.spawn(async move {
            let positions = stream::iter(0..objects.len());
            // Room is given out in order, so that an object never waits for those behind it.
            let admitted = positions.then(|position| {
                let size = objects.get(position).map_or(0, |object| object.size);
                let rooms = u32::try_from(size.div_ceil(ROOM)).unwrap_or(u32::MAX).clamp(1, ROOMS);
                let room = Arc::clone(&room).acquire_many_owned(rooms);
                async move { (position, room.await.ok()) }
            });
            let contents = admitted.map(|(position, room)| {
                let objects = Arc::clone(&objects);
                async move {
                    let object = objects.get(position)?;
                    let fetched = source::fetch(object, source::LARGEST_FETCHED_BYTES).await;
                    Some((fetched.map(|fetched| fetched.content), room))
                }
            });
            let mut contents = contents.buffered(ASKED_AT_A_TIME).boxed();
            while let Some(Some(content)) = contents.next().await {
                if sender.send(content).await.is_err() {
                    return;
                }
            }
        });
        Self { fetched, task }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_behind_the_end_of_the_fetching_are_faults_and_not_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.json", "b.json"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let listing = source::list(&[folder.path().display().to_string()]).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (sender, fetched) = mpsc::channel(1);
        let task = runtime.spawn(async move {
            let first = Ok(Content::Whole(b"{}".to_vec()));
            drop(sender.send((first, None)).await);
        });
        let mut contents = Contents {
            objects: Arc::new(listing.objects),
            next: 0,
            ahead: Some(Ahead { fetched, task }),
        };
        assert!(contents.next().unwrap().content.is_ok());
        let second = contents.next().unwrap();
        assert_eq!((second.position, second.content.is_err()), (1, true));
        assert!(contents.next().is_none());
    }
}
