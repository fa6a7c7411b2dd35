//! Bundles as one tar file: the old format (ustar) without anything that changes from one run to the next.

use std::collections::BTreeMap;
use std::io;
use std::io::Read;
use std::io::Write;

use super::manifest::is_file_name;

const BLOCK: usize = 512;
/// Largest size that the twelve octal digits of a header hold.
const MOST_BYTES: u64 = 0o77_777_777_777;

/// Why an archive is none of a bundle.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is no archive that `evidence export` writes.
    #[error("at byte {position}: {reason}")]
    Foreign {
        /// Where.
        position: u64,
        /// What is wrong.
        reason: &'static str,
    },
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

/// Reads an archive that [`ArchiveWriter`] wrote, strictly: each file goes to the target that `open` gives for its name.
///
/// # Errors
/// When it holds anything else than plain files with plain names, each once, or something behind its end.
pub fn read_archive<T: Write>(
    mut archive: impl Read,
    mut open: impl FnMut(&str) -> io::Result<T>,
) -> Result<BTreeMap<String, T>, ArchiveError> {
    let mut files = BTreeMap::new();
    let mut position = 0_u64;
    let foreign = |position: u64, reason| ArchiveError::Foreign { position, reason };
    loop {
        let mut head = [0; BLOCK];
        archive
            .read_exact(&mut head)
            .map_err(|_| foreign(position, "the archive ends too early"))?;
        if head == [0; BLOCK] {
            break;
        }
        let (name, size) = read_header(&head).ok_or_else(|| foreign(position, "there is no header of a plain file"))?;
        if files.contains_key(&name) {
            return Err(foreign(position, "a file is there twice"));
        }
        let mut target = open(&name)?;
        let copied = io::copy(&mut (&mut archive).take(size), &mut target)?;
        let mut rest = padding(size);
        let is_whole = copied == size && archive.read_exact(&mut rest).is_ok();
        if !is_whole || rest.iter().any(|byte| *byte != 0) {
            return Err(foreign(position, "the file is cut, or something stands behind it"));
        }
        target.flush()?;
        files.insert(name, target);
        position += u64::try_from(BLOCK + rest.len()).unwrap_or_default() + size;
    }
    let mut end = Vec::new();
    archive.take(2 * 512).read_to_end(&mut end)?;
    match end.len() == BLOCK && end.iter().all(|byte| *byte == 0) {
        true => Ok(files),
        false => Err(foreign(position, "something stands behind the last file")),
    }
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

/// Name and size, if the header is one that [`header`] makes, to the byte.
fn read_header(head: &[u8; BLOCK]) -> Option<(String, u64)> {
    let name = head.get(..100)?.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    let digits = std::str::from_utf8(head.get(124..135)?).ok()?;
    let size = u64::from_str_radix(digits, 8).ok()?;
    (header(name, size).ok()? == *head).then(|| (name.to_owned(), size))
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
    fn archive_that_is_cut_or_goes_on_is_refused() {
        let bytes = written(&[("a.txt", b"abc")]);
        for length in [0, 100, 512, 600, 1024, 1536, bytes.len() - 1] {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        assert!(read(&[bytes.clone(), vec![0]].concat()).is_err());
        let twice = [&bytes[..1024], &bytes[..]].concat();
        assert!(read(&twice).is_err());
    }

    #[test]
    fn name_that_leaves_the_bundle_is_neither_written_nor_read() {
        assert!(header("../x", 1).is_err());
        assert!(header("tables/x", MOST_BYTES + 1).is_err());
    }
}
