//! A disk that loses what is not synced, fed with the operations of real commits.
//!
//! The model is harsher than most file systems. Of what was not synced when the power went, any part may be there: each
//! new, moved or removed name by itself, and of the content of a file nothing, half of it, zeros or all. Syncing a file
//! saves its content and not its name; syncing a folder saves the names in it and not its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::Operation;

/// What happened below a folder, with what the test says in between.
#[derive(Debug, Clone)]
pub(in crate::store) enum Event {
    Done(Operation),
    /// The file with this path got this content.
    Wrote(PathBuf, Arc<[u8]>),
    Note(Note),
}

/// What the test says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Note {
    /// The store is made.
    Opened,
    /// A batch may be there from now on.
    Begun(usize),
    /// A batch must be there from now on.
    Stored(usize),
}

type Events = Arc<Mutex<Vec<Event>>>;

static RECORDINGS: Mutex<Vec<(PathBuf, Events)>> = Mutex::new(Vec::new());

/// Listens to what is done below a folder, until it is dropped. Paths are kept relative to the folder.
pub(in crate::store) struct Recording {
    root: PathBuf,
    events: Events,
}

impl Recording {
    pub(in crate::store) fn start(root: &Path) -> Self {
        let events = Events::default();
        locked(&RECORDINGS).push((root.to_owned(), Arc::clone(&events)));
        Self {
            root: root.to_owned(),
            events,
        }
    }

    pub(in crate::store) fn note(&self, note: Note) {
        locked(&self.events).push(Event::Note(note));
    }

    pub(in crate::store) fn events(&self) -> Vec<Event> {
        locked(&self.events).clone()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        locked(&RECORDINGS).retain(|(root, _)| *root != self.root);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Is told by the code under test what it has done.
pub(super) fn record(operation: &Operation) {
    let path = match operation {
        Operation::Folder(path)
        | Operation::File(path)
        | Operation::Content(path)
        | Operation::SyncFile(path)
        | Operation::SyncFolder(path)
        | Operation::Link(path, _)
        | Operation::Rename(path, _)
        | Operation::Remove(path) => path.clone(),
    };
    let recordings = locked(&RECORDINGS);
    let Some((root, events)) = recordings.iter().find(|(root, _)| path.starts_with(root)) else {
        return;
    };
    let relative = |path: &Path| path.strip_prefix(root).unwrap().to_owned();
    let event = match operation {
        Operation::Folder(path) => Event::Done(Operation::Folder(relative(path))),
        Operation::File(path) => Event::Done(Operation::File(relative(path))),
        Operation::Content(path) => Event::Wrote(relative(path), fs::read(path).unwrap().into()),
        Operation::SyncFile(path) => Event::Done(Operation::SyncFile(relative(path))),
        Operation::SyncFolder(path) => Event::Done(Operation::SyncFolder(relative(path))),
        Operation::Link(from, to) => Event::Done(Operation::Link(relative(from), relative(to))),
        Operation::Rename(from, to) => Event::Done(Operation::Rename(relative(from), relative(to))),
        Operation::Remove(path) => Event::Done(Operation::Remove(relative(path))),
    };
    locked(events).push(event);
}

/// Files with their content, and folders without; what a folder on the disk holds.
pub(in crate::store) type Tree = BTreeMap<PathBuf, Option<Arc<[u8]>>>;

pub(in crate::store) fn read_tree(root: &Path) -> Tree {
    let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter().map(Result::unwrap);
    let nodes = entries.map(|entry| {
        let content = entry
            .file_type()
            .is_file()
            .then(|| fs::read(entry.path()).unwrap().into());
        (entry.path().strip_prefix(root).unwrap().to_owned(), content)
    });
    nodes.collect()
}

pub(in crate::store) fn write_tree(root: &Path, tree: &Tree) {
    for (path, content) in tree {
        match content {
            None => fs::create_dir(root.join(path)).unwrap(),
            Some(content) => fs::write(root.join(path), content).unwrap(),
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    /// Place in the list of contents.
    File(usize),
}

/// The content of a file: as it is seen, and as it is on the disk.
#[derive(Debug, Clone, Default)]
struct Content {
    seen: Arc<[u8]>,
    synced: Arc<[u8]>,
}

/// A change of names that is seen and not yet on the disk.
#[derive(Debug, Clone)]
struct Change {
    removed: Option<PathBuf>,
    added: Option<(PathBuf, Node)>,
}

/// A disk with what is seen of it, what is on it, and what is in between.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Disk {
    contents: Vec<Content>,
    seen: BTreeMap<PathBuf, Node>,
    synced: BTreeMap<PathBuf, Node>,
    changes: Vec<Change>,
}

impl Change {
    fn is_in(&self, folder: &Path) -> bool {
        let added = self.added.as_ref().map(|(path, _)| path);
        self.removed.as_ref().or(added).and_then(|path| path.parent()) == Some(folder)
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        self.removed.as_ref().map(|path| names.remove(path));
        names.extend(self.added.clone());
    }
}

impl Disk {
    /// All of it synced.
    pub(in crate::store) fn holding(tree: &Tree) -> Self {
        let mut disk = Self::default();
        for (path, content) in tree {
            let node = match content {
                None => Node::Folder,
                Some(content) => disk.new_file(Content {
                    seen: Arc::clone(content),
                    synced: Arc::clone(content),
                }),
            };
            disk.seen.insert(path.clone(), node);
        }
        disk.synced = disk.seen.clone();
        disk
    }

    pub(in crate::store) fn apply(&mut self, event: &Event) {
        let change = match event {
            Event::Note(_) => return,
            Event::Wrote(path, bytes) => {
                let file = self.file(path);
                self.contents[file].seen = Arc::clone(bytes);
                return;
            }
            Event::Done(Operation::Content(_)) => return,
            Event::Done(Operation::SyncFile(path)) => {
                let file = self.file(path);
                self.contents[file].synced = Arc::clone(&self.contents[file].seen);
                return;
            }
            Event::Done(Operation::SyncFolder(folder)) => {
                let (now, later) = std::mem::take(&mut self.changes)
                    .into_iter()
                    .partition(|change| change.is_in(folder));
                self.changes = later;
                let now: Vec<Change> = now;
                now.iter().for_each(|change| change.apply(&mut self.synced));
                return;
            }
            Event::Done(Operation::Folder(path)) => Change {
                removed: None,
                added: Some((path.clone(), Node::Folder)),
            },
            Event::Done(Operation::File(path)) => Change {
                removed: None,
                added: Some((path.clone(), self.new_file(Content::default()))),
            },
            Event::Done(Operation::Link(from, to)) => Change {
                removed: None,
                added: Some((to.clone(), self.seen[from])),
            },
            Event::Done(Operation::Rename(from, to)) => Change {
                removed: Some(from.clone()),
                added: Some((to.clone(), self.seen[from])),
            },
            Event::Done(Operation::Remove(path)) => Change {
                removed: Some(path.clone()),
                added: None,
            },
        };
        change.apply(&mut self.seen);
        self.changes.push(change);
    }

    fn new_file(&mut self, content: Content) -> Node {
        self.contents.push(content);
        Node::File(self.contents.len() - 1)
    }

    fn file(&self, path: &Path) -> usize {
        match self.seen[path] {
            Node::File(file) => file,
            Node::Folder => panic!("`{}` is a folder", path.display()),
        }
    }

    /// What everyone sees while the power is on.
    pub(in crate::store) fn seen(&self) -> Tree {
        let nodes = self.seen.iter().map(|(path, node)| {
            let content = match node {
                Node::Folder => None,
                Node::File(file) => Some(Arc::clone(&self.contents[*file].seen)),
            };
            (path.clone(), content)
        });
        nodes.collect()
    }

    /// What is found after the power was gone; `below` draws a number below its argument.
    pub(in crate::store) fn after_power_cut(&self, below: &mut impl FnMut(usize) -> usize) -> Tree {
        let mut names = self.synced.clone();
        for change in &self.changes {
            if below(2) == 0 {
                change.apply(&mut names);
            }
        }
        let mut contents: BTreeMap<usize, Arc<[u8]>> = BTreeMap::new();
        let mut tree = Tree::new();
        for (path, node) in names {
            let parent = path.parent().unwrap();
            if !parent.as_os_str().is_empty() && tree.get(parent) != Some(&None) {
                continue;
            }
            let content = match node {
                Node::Folder => None,
                Node::File(file) => {
                    let left = contents
                        .entry(file)
                        .or_insert_with(|| what_is_left(&self.contents[file], below));
                    Some(Arc::clone(left))
                }
            };
            tree.insert(path, content);
        }
        tree
    }
}

fn what_is_left(content: &Content, below: &mut impl FnMut(usize) -> usize) -> Arc<[u8]> {
    if content.seen == content.synced {
        return Arc::clone(&content.seen);
    }
    match below(4) {
        0 => Arc::clone(&content.synced),
        1 => content.seen[..content.seen.len() / 2].into(),
        2 => vec![0; content.seen.len()].into(),
        _ => Arc::clone(&content.seen),
    }
}
