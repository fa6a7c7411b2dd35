//! Bundles as one tar file: the old format (ustar) without anything that changes from one run to the next.

mod entry;

use std::collections::BTreeMap;
use std::io;
use std::io::Read;
use std::io::Write;

use self::entry::ArchiveReader;
use self::entry::EntryKind;
use self::entry::EntryNames;
use super::manifest::is_file_name;

/// Most bytes of what a tool notes of one file.
const MOST_NOTES: u64 = 64 << 10;
const BLOCK: usize = 512;
/// Largest size that the twelve octal digits of a header hold.
const MOST_BYTES: u64 = 0o77_777_777_777;

/// Why an archive is none of a bundle.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It holds something else than the files of a bundle, or is damaged.
    #[error("{}: {reason}", place(*.position, .file.as_deref()))]
    Foreign {
        /// Where.
        position: u64,
        /// The file that it is about, as far as it can be told; may be any text.
        file: Option<String>,
        /// What is wrong.
        reason: &'static str,
    },
}

fn place(position: u64, file: Option<&str>) -> String {
    match file {
        Some(file) => format!("`{file}`, at byte {position} of the archive"),
        None => format!("at byte {position} of the archive"),
    }
}

/// Writes files one after the other.
#[derive(Debug)]
pub struct ArchiveWriter<W: Write> {
    out: W,
}

impl<W: Write> ArchiveWriter<W> {
    /// An archive without files.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When the target takes no more bytes, or the file is not as long as said.
    pub fn add(&mut self, name: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        self.out.write_all(&header(name, size)?)?;
        let written = io::copy(&mut content.take(size), &mut self.out)?;
        if written != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.out.write_all(&padding(size))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When the target takes no more bytes.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads an archive, of whatever tool: each file goes to the target that `open` gives for its name. What a tool notes beside
/// names and contents (owners, times) does not count, nor does a folder around the whole.
///
/// # Errors
/// When it holds anything else than plain files with plain names, each once, or something behind its end.
pub fn read_archive<T: Write>(
    archive: impl Read,
    mut open: impl FnMut(&str) -> io::Result<T>,
) -> Result<BTreeMap<String, T>, ArchiveError> {
    let mut reader = ArchiveReader {
        archive,
        position: 0,
        file: None,
    };
    let mut files = BTreeMap::new();
    let mut names = EntryNames::default();
    while let Some(entry) = reader.entry()? {
        let name = names.of(&entry);
        reader.file = Some(name.clone().unwrap_or(entry.name));
        match entry.kind {
            EntryKind::Folder if entry.size == 0 => {}
            EntryKind::Notes if entry.size <= MOST_NOTES => reader.notes(entry.size)?,
            EntryKind::File => {
                let name = name.ok_or_else(|| reader.foreign("no file of a bundle has such a name"))?;
                if files.contains_key(&name) {
                    return Err(reader.foreign("the file is there twice"));
                }
                let mut target = open(&name)?;
                reader.content(entry.size, &mut target)?;
                target.flush()?;
                files.insert(name, target);
            }
            _ => return Err(reader.foreign("it is neither a plain file nor a folder")),
        }
    }
    reader.end()?;
    Ok(files)
}

fn header(name: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    if !is_file_name(name) || size > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no file of a bundle"));
    }
    let mut head = [0; BLOCK];
    let fields: [(usize, Vec<u8>); 8] = [
        (0, name.as_bytes().to_vec()),
        (100, b"0000644\0".to_vec()),
        (108, b"0000000\0".to_vec()),
        (116, b"0000000\0".to_vec()),
        (124, format!("{size:011o}\0").into_bytes()),
        (136, b"00000000000\0".to_vec()),
        (148, b"        0".to_vec()),
        (257, b"ustar\x0000".to_vec()),
    ];
    for (start, bytes) in &fields {
        if let Some(place) = head.get_mut(*start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(place) = head.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    Ok(head)
}

fn padding(size: u64) -> Vec<u8> {
    let over = usize::try_from(size % 512).unwrap_or_default();
    vec![0; (BLOCK - over) % BLOCK]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ArchiveWriter::new(Vec::new());
        for (name, content) in files {
            archive.add(name, content.len() as u64, &mut &**content).unwrap();
        }
        archive.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
        read_archive(bytes, |_| Ok(Vec::new()))
    }

    #[test]
    fn files_read_back() {
        let long = [7; 700];
        let files = read(&written(&[("a.txt", b""), ("t/b.csv", &long), ("c", &[1; 512])])).unwrap();
        assert_eq!(files["t/b.csv"], long);
        assert_eq!(files.len(), 3);
    }

    #[test]
    fn any_changed_byte_outside_of_contents_is_refused() {
        let bytes = written(&[("a.txt", b"abc")]);
        for position in (0..bytes.len()).filter(|position| !(512..515).contains(position)) {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            let read = read(&changed);
            let is_known = read.as_ref().is_ok_and(|files| files.contains_key("a.txt"));
            assert!(!is_known, "{position}: {read:?}");
        }
    }

    #[test]
    fn archive_that_is_cut_or_goes_on_is_refused_and_the_file_named() {
        let bytes = written(&[("a.txt", b"abc")]);
        for length in [0, 100, 512, 600, 1024, bytes.len() - 1] {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        let padded = [bytes.clone(), vec![0; 8_192]].concat();
        assert_eq!(read(&padded).unwrap().len(), 1);
        let mut behind = padded;
        behind[4_000] = 1;
        assert!(read(&behind).is_err());
        let twice = [&bytes[..1024], &bytes[..]].concat();
        let error = read(&twice).unwrap_err().to_string();
        assert_eq!(error, "`a.txt`, at byte 1536 of the archive: the file is there twice");
    }

    /// A header as other tools write it, with a checksum that fits.
    fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut head = header("x", content.len() as u64).unwrap();
        head[..100].fill(0);
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[108..115].copy_from_slice(b"0001750");
        head[156] = kind;
        head[265..268].copy_from_slice(b"joe");
        head[148..156].fill(b' ');
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        [&head, content, &padding(content.len() as u64)].concat()
    }

    fn packed(entries: &[Vec<u8>]) -> Vec<u8> {
        [entries.concat(), vec![0; 20 * BLOCK]].concat()
    }

    #[test]
    fn archives_of_other_tools_are_read_by_their_contents() {
        let plain = [entry("b.txt", b'0', b"2"), entry("tables/a.csv", 0, b"1")];
        let dotted = [
            entry("./", b'5', b""),
            entry("./b.txt", b'0', b"2"),
            entry("./tables/", b'5', b""),
            entry("./tables/a.csv", b'0', b"1"),
        ];
        let noted = [
            entry("PaxHeader/b.txt", b'x', b"13 mtime=1.5\n"),
            entry("b.txt", b'0', b"2"),
            entry("tables/a.csv", b'0', b"1"),
        ];
        let around = [
            entry("bundle/", b'5', b""),
            entry("bundle/tables/", b'5', b""),
            entry("bundle/tables/a.csv", b'0', b"1"),
            entry("bundle/b.txt", b'0', b"2"),
        ];
        for entries in [&plain[..], &dotted, &noted, &around] {
            let files = read(&packed(entries)).unwrap();
            let wanted = [("b.txt", b"2".to_vec()), ("tables/a.csv", b"1".to_vec())];
            assert_eq!(files, wanted.map(|(name, content)| (name.to_owned(), content)).into());
        }
    }

    #[test]
    fn links_other_names_and_what_renames_files_are_refused() {
        for (name, kind, content) in [
            ("a.txt", b'1', &b""[..]),
            ("a.txt", b'2', b""),
            ("a.txt", b'3', b""),
            ("a.txt", b'S', b""),
            ("././@LongLink", b'L', b"../../x\0"),
            ("../a.txt", b'0', b""),
            ("/a.txt", b'0', b""),
            ("bundle/../../a.txt", b'0', b""),
            ("bundle/b/c/d.txt", b'0', b""),
            (".hidden", b'0', b""),
            ("PaxHeader/a", b'x', b"16 path=../../x\n"),
            ("PaxHeader/a", b'g', b"14 size=99999\n"),
            ("PaxHeader/a", b'x', b"none\n"),
        ] {
            let read = read(&packed(&[entry(name, kind, content)]));
            let foreign = matches!(&read, Err(ArchiveError::Foreign { .. }));
            assert!(foreign, "{name} {kind}: {read:?}");
        }
        let apart = [entry("one/a.txt", b'0', b""), entry("two/b.txt", b'0', b"")];
        assert!(read(&packed(&apart)).is_err());
    }

    #[test]
    fn name_that_leaves_the_bundle_is_neither_written_nor_read() {
        assert!(header("../x", 1).is_err());
        assert!(header("tables/x", MOST_BYTES + 1).is_err());
    }
}
