//! The entries of an archive, one after the other, as any tool writes them.

use std::io;
use std::io::Read;
use std::io::Write;

use super::ArchiveError;
use super::BLOCK;
use super::padding;
use crate::report::evidence::is_file_name;

/// Folders of a bundle.
const FOLDERS: [&str; 2] = ["queries", "tables"];
/// What a note says that changes which file an entry is.
const TELLING: [&str; 5] = ["path", "linkpath", "size", "GNU.sparse", "hdrcharset"];

/// What stands in a header.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// What a tool notes of the next file or of all, in pax form.
    Notes,
    /// A link, a device, or a form that only some tools know.
    Other,
}

/// Reads an archive from its begin to its end.
#[derive(Debug)]
pub(super) struct ArchiveReader<R> {
    pub(super) archive: R,
    pub(super) position: u64,
    /// The file that is being read.
    pub(super) file: Option<String>,
}

/// Names of entries within the bundle, of which all may lie in one folder.
#[derive(Debug, Default)]
pub(super) struct EntryNames {
    /// With a slash, or empty if there is none.
    around: Option<String>,
}

impl<R: Read> ArchiveReader<R> {
    pub(super) fn foreign(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::Foreign {
            position: self.position,
            file: self.file.clone(),
            reason,
        }
    }

    /// The next header; `None` at the end.
    pub(super) fn entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let head = self.block()?;
        if head == [0; BLOCK] {
            return Ok(None);
        }
        let entry = read_header(&head).ok_or_else(|| self.foreign("what follows is no header of an archive"))?;
        Ok(Some(entry))
    }

    /// Copies the content of an entry.
    pub(super) fn content(&mut self, size: u64, target: &mut dyn Write) -> Result<(), ArchiveError> {
        let copied = io::copy(&mut (&mut self.archive).take(size), target)?;
        let mut rest = padding(size);
        let is_whole = copied == size && self.archive.read_exact(&mut rest).is_ok();
        if !is_whole || rest.iter().any(|byte| *byte != 0) {
            return Err(self.foreign("the file is cut, or something stands behind it"));
        }
        self.position += size + u64::try_from(rest.len()).unwrap_or_default();
        Ok(())
    }

    /// Passes over notes that change nothing.
    pub(super) fn notes(&mut self, size: u64) -> Result<(), ArchiveError> {
        let mut notes = Vec::new();
        self.content(size, &mut notes)?;
        are_harmless(&notes)
            .then_some(())
            .ok_or_else(|| self.foreign("its notes give it another name or size"))
    }

    /// Nothing but zeros may follow.
    pub(super) fn end(&mut self) -> Result<(), ArchiveError> {
        self.file = None;
        if self.block()? != [0; BLOCK] {
            return Err(self.foreign("something stands behind the last file"));
        }
        let mut rest = [0; BLOCK];
        loop {
            let length = self.archive.read(&mut rest)?;
            if length == 0 {
                return Ok(());
            }
            if rest.iter().take(length).any(|byte| *byte != 0) {
                return Err(self.foreign("something stands behind the last file"));
            }
            self.position += u64::try_from(length).unwrap_or_default();
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        self.archive
            .read_exact(&mut block)
            .map_err(|_| self.foreign("the archive ends too early"))?;
        self.position += u64::try_from(BLOCK).unwrap_or_default();
        Ok(block)
    }
}

impl EntryNames {
    /// The name of an entry within the bundle; `None` for one that no file of a bundle has. The first entry says which folder
    /// lies around all.
    pub(super) fn of(&mut self, entry: &Entry) -> Option<String> {
        if entry.kind == EntryKind::Notes {
            return None;
        }
        let name = entry.name.strip_prefix("./").unwrap_or(&entry.name);
        if name.is_empty() || name == "." {
            return None;
        }
        let around = self.around.get_or_insert_with(|| match name.split_once('/') {
            Some((first, _)) if is_file_name(first) && !FOLDERS.contains(&first) => format!("{first}/"),
            _ => String::new(),
        });
        let name = name.strip_prefix(around.as_str())?;
        is_file_name(name).then(|| name.to_owned())
    }
}

/// What a header says, if its sum is right.
fn read_header(head: &[u8; BLOCK]) -> Option<Entry> {
    let field = |start: usize, end: usize| -> Option<&str> {
        let bytes = head.get(start..end)?.split(|byte| *byte == 0).next()?;
        std::str::from_utf8(bytes).ok()
    };
    let number = |start: usize, end: usize| -> Option<u64> {
        let digits = std::str::from_utf8(head.get(start..end)?).ok()?;
        u64::from_str_radix(digits.trim_matches([' ', '\0']), 8).ok()
    };
    let sum: u64 = head
        .iter()
        .enumerate()
        .map(|(position, byte)| match position {
            148..156 => u64::from(b' '),
            _ => u64::from(*byte),
        })
        .sum();
    if number(148, 156)? != sum {
        return None;
    }
    let is_ustar = head.get(257..262)? == b"ustar";
    let folder = match is_ustar && head.get(263) != Some(&b' ') {
        true => field(345, 500)?,
        false => "",
    };
    let name = field(0, 100)?;
    Some(Entry {
        name: match folder.is_empty() {
            true => name.to_owned(),
            false => format!("{folder}/{name}"),
        },
        size: number(124, 136)?,
        kind: match head.get(156)? {
            b'0' | 0 if !name.ends_with('/') => EntryKind::File,
            b'5' => EntryKind::Folder,
            b'x' | b'g' => EntryKind::Notes,
            _ => EntryKind::Other,
        },
    })
}

/// Whether pax notes, each `LENGTH KEY=VALUE` and the end of a line, leave name, size and content as the header has them.
fn are_harmless(mut notes: &[u8]) -> bool {
    while !notes.is_empty() {
        let Some((note, rest)) = first_note(notes) else {
            return false;
        };
        if TELLING.iter().any(|telling| note.starts_with(telling.as_bytes())) {
            return false;
        }
        notes = rest;
    }
    true
}

/// `KEY=VALUE` of the first note, and what follows it.
fn first_note(notes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = notes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(notes.get(..space)?).ok()?.parse().ok()?;
    let (note, rest) = notes.split_at_checked(length)?;
    let pair = note.get(space + 1..)?.strip_suffix(b"\n")?;
    pair.contains(&b'=').then_some((pair, rest))
}
