//! Layout of a pack: gzip of UTF-8 text, in which `[name]` starts a section and every other line is a row of cells
//! separated by tabs; a list within a cell is separated by commas.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;

use flate2::Compression;
use flate2::GzBuilder;
use flate2::bufread::GzDecoder;

/// Layout that this program writes, and the highest that it reads.
pub(super) const FORMAT: u32 = 1;

/// A pack of today inflates to 3 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Why facts could not be read or imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// The bytes are no gzip of text, or too much of it.
    #[error("fact pack is damaged: {cause}; write it again with `trimtrail facts import`")]
    Damaged {
        /// What is wrong.
        cause: String,
    },
    /// The pack has a layout of a later program.
    #[error("fact pack has format `{found}`, and this trimtrail reads up to `{FORMAT}`; use a newer trimtrail")]
    OtherFormat {
        /// As it stands in the pack.
        found: String,
    },
    /// A section is missing.
    #[error("fact pack has no section `{section}`; write it again with `trimtrail facts import`")]
    Incomplete {
        /// Its name.
        section: &'static str,
    },
    /// Names of a section are not in the order in which they are looked up.
    #[error("section `{section}` of the fact pack is not in order; write it again with `trimtrail facts import`")]
    Disordered {
        /// Its name.
        section: &'static str,
    },
    /// There was nothing to import.
    #[error("no AWS Service Reference file was found; each has the members `Name`, `Actions` and `Resources`")]
    NothingToImport,
}

/// Text of the sections of a pack.
#[derive(Debug)]
pub(in crate::iam) struct Sections {
    texts: BTreeMap<&'static str, &'static str>,
}

/// One row, read cell by cell.
#[derive(Debug)]
pub(in crate::iam) struct Row {
    cells: std::str::Split<'static, char>,
}

impl Sections {
    /// Reads the sections of a pack whose format this program knows.
    ///
    /// The text is kept for the life of the process, as its cells are given out as `&'static str`.
    pub(super) fn read(pack: &[u8]) -> Result<Self, FactsError> {
        let sections = Self::inflate(pack)?;
        let mut about = sections.rows("pack")?;
        let format = about.find_map(|mut row| (row.cell() == "format").then(|| row.cell()));
        match format.map(|found| (found, found.parse::<u32>())) {
            Some((_, Ok(1..=FORMAT))) => Ok(sections),
            found => Err(FactsError::OtherFormat {
                found: found.map_or("", |(text, _)| text).to_owned(),
            }),
        }
    }

    /// Reads the sections of a file that is laid out like a pack.
    pub(in crate::iam) fn inflate(bytes: &[u8]) -> Result<Self, FactsError> {
        let text: &'static str = inflate(bytes)?.leak();
        let mut texts = BTreeMap::new();
        for section in text.split("\n[") {
            let Some((name, rows)) = section.split_once("]\n").or_else(|| section.split_once(']')) else {
                return Err(FactsError::Damaged {
                    cause: "it does not start with a section".to_owned(),
                });
            };
            texts.insert(name.trim_start_matches('['), rows);
        }
        Ok(Self { texts })
    }

    /// Names of the sections, in order of the alphabet.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.texts.keys().copied()
    }

    /// Rows of a section; fails if there is no such section.
    pub(in crate::iam) fn rows(&self, section: &'static str) -> Result<impl Iterator<Item = Row> + use<>, FactsError> {
        let text = self.texts.get(section).ok_or(FactsError::Incomplete { section })?;
        let lines = text.lines().filter(|line| !line.is_empty());
        Ok(lines.map(|line| Row {
            cells: line.split('\t'),
        }))
    }
}

impl Row {
    /// All cells.
    pub(super) fn cells(self) -> Vec<String> {
        self.cells.map(str::to_owned).collect()
    }

    /// The next cell; empty behind the last.
    pub(in crate::iam) fn cell(&mut self) -> &'static str {
        self.cells.next().unwrap_or_default()
    }

    /// The elements of the next cell.
    pub(in crate::iam) fn list(&mut self) -> impl Iterator<Item = &'static str> + use<> {
        self.cell().split(',').filter(|element| !element.is_empty())
    }
}

/// Compresses the text of a pack; equal text gives equal bytes.
pub(super) fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    // INVARIANT: writing into a `Vec` does not fail.
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn inflate(pack: &[u8]) -> Result<String, FactsError> {
    let mut text = String::new();
    let mut decoder = GzDecoder::new(pack).take(MAX_BYTES);
    decoder.read_to_string(&mut text).map_err(|error| FactsError::Damaged {
        cause: error.to_string(),
    })?;
    if decoder.limit() == 0 {
        return Err(FactsError::Damaged {
            cause: format!("it inflates to more than {MAX_BYTES} bytes"),
        });
    }
    Ok(text)
}
