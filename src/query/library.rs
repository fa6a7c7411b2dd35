//! The question library: the questions that come with the program, and the analyst's own from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest;
use sha2::Sha256;

use super::QueryError;
use super::header;
use super::header::HeaderError;
use super::question::Question;
use super::statement::parse_reading;

/// Nesting that a question may have; the engine's own limit.
const RECURSION_LIMIT: usize = 50;

/// File stem and text of every embedded question, in alphabetical order.
const EMBEDDED: &[(&str, &str)] = &[
    ("console-logins", include_str!("../../queries/console-logins.sql")),
    ("denied-attempts", include_str!("../../queries/denied-attempts.sql")),
    ("ingest-balance", include_str!("../../queries/ingest-balance.sql")),
    ("key-age", include_str!("../../queries/key-age.sql")),
    ("logging-changes", include_str!("../../queries/logging-changes.sql")),
    ("passrole-use", include_str!("../../queries/passrole-use.sql")),
    (
        "permission-changes",
        include_str!("../../queries/permission-changes.sql"),
    ),
    (
        "permission-inventory",
        include_str!("../../queries/permission-inventory.sql"),
    ),
    ("role-sessions", include_str!("../../queries/role-sessions.sql")),
    ("root-use", include_str!("../../queries/root-use.sql")),
    ("secret-reads", include_str!("../../queries/secret-reads.sql")),
    ("service-last-used", include_str!("../../queries/service-last-used.sql")),
    (
        "unexpected-regions",
        include_str!("../../queries/unexpected-regions.sql"),
    ),
    ("unused-access", include_str!("../../queries/unused-access.sql")),
    ("unused-keys", include_str!("../../queries/unused-keys.sql")),
    ("unused-roles", include_str!("../../queries/unused-roles.sql")),
    ("used-actions", include_str!("../../queries/used-actions.sql")),
    ("used-not-granted", include_str!("../../queries/used-not-granted.sql")),
];

/// Questions by id.
#[derive(Debug, Clone)]
pub struct Library {
    questions: BTreeMap<String, Question>,
}

/// Why a library cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// Folder or file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The header breaks the grammar.
    #[error("question `{file}`: {cause}")]
    Header {
        /// File stem or path.
        file: String,
        /// What is wrong.
        cause: HeaderError,
    },
    /// The statement is not one that only reads.
    #[error("question `{file}`: {cause}")]
    Statement {
        /// File stem or path.
        file: String,
        /// What is wrong.
        cause: QueryError,
    },
    /// `@id` is not the file stem.
    #[error("question `{file}` has `@id {id}`; rename the file to `{id}.sql` or change the id")]
    WrongId {
        /// File stem or path.
        file: String,
        /// The id in the header.
        id: String,
    },
    /// Two files have one id.
    #[error("question `{file}` has the id of another question; choose an id other than `{id}`")]
    DuplicateId {
        /// The second file.
        file: String,
        /// The id of both.
        id: String,
    },
}

impl Library {
    /// The questions that come with the program.
    ///
    /// Fails only when a shipped file breaks the grammar, which the tests rule out.
    pub fn embedded() -> Result<Self, LibraryError> {
        let mut library = Self {
            questions: BTreeMap::new(),
        };
        for (stem, sql) in EMBEDDED {
            library.add(stem, stem, sql)?;
        }
        Ok(library)
    }

    /// Adds every `*.sql` file directly in `folder`; an id that exists already is an error, never an override.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, LibraryError> {
        let unreadable = |path: &Path, cause| LibraryError::Unreadable {
            path: path.to_path_buf(),
            cause,
        };
        let entries = fs::read_dir(folder).map_err(|cause| unreadable(folder, cause))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|cause| unreadable(folder, cause))?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                paths.push(path);
            }
        }
        paths.sort();
        for path in paths {
            let sql = fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?;
            let stem = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            self.add(&path.display().to_string(), &stem, &sql)?;
        }
        Ok(self)
    }

    /// One question.
    pub fn get(&self, id: &str) -> Option<&Question> {
        self.questions.get(id)
    }

    /// All questions in the order of their ids.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.values()
    }

    fn add(&mut self, file: &str, stem: &str, sql: &str) -> Result<(), LibraryError> {
        let question = header::parse(sql, sha256(sql)).map_err(|cause| LibraryError::Header {
            file: file.to_owned(),
            cause,
        })?;
        if question.id != stem {
            return Err(LibraryError::WrongId {
                file: file.to_owned(),
                id: question.id,
            });
        }
        parse_reading(sql, RECURSION_LIMIT).map_err(|cause| LibraryError::Statement {
            file: file.to_owned(),
            cause,
        })?;
        if self.questions.contains_key(&question.id) {
            return Err(LibraryError::DuplicateId {
                file: file.to_owned(),
                id: question.id,
            });
        }
        self.questions.insert(question.id.clone(), question);
        Ok(())
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Library;
    use super::LibraryError;

    const OWN: &str = "-- @id own\n-- @title Own\n-- @question Own?\n-- @column one int64  One.\nselect 1 as one\n";

    #[expect(clippy::unwrap_in_result, reason = "only the result of the last step is under test")]
    fn library_with(file: &str, text: &str) -> Result<Library, LibraryError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(file), text).unwrap();
        fs::write(folder.path().join("notes.txt"), "no question").unwrap();
        Library::embedded().unwrap().with_folder(folder.path())
    }

    #[test]
    fn questions_that_read_events_are_told_from_those_of_the_rollup() {
        let library = Library::embedded().unwrap();
        for (id, wanted) in [
            ("root-use", (true, false)),
            ("secret-reads", (true, false)),
            ("used-actions", (true, true)),
            ("key-age", (true, true)),
            ("unused-roles", (false, false)),
        ] {
            let question = library.get(id).unwrap();
            assert_eq!((question.reads_events(), question.reads_usage()), wanted, "{id}");
        }
    }

    #[test]
    fn the_embedded_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        let mut stems: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        stems.sort();
        let library = Library::embedded().unwrap();
        assert_eq!(
            library
                .questions()
                .map(|question| question.id.clone())
                .collect::<Vec<_>>(),
            stems
        );
    }

    #[test]
    fn a_question_of_the_folder_joins_the_library() {
        let library = library_with("own.sql", OWN).unwrap();
        assert_eq!(library.get("own").unwrap().sha256.len(), 64);
        assert!(library.get("root-use").is_some());
    }

    #[test]
    fn an_id_other_than_the_file_stem_is_refused() {
        assert!(matches!(
            library_with("other.sql", OWN),
            Err(LibraryError::WrongId { .. })
        ));
    }

    #[test]
    fn an_embedded_id_cannot_be_overridden() {
        let text = OWN.replace("@id own", "@id root-use");
        assert!(matches!(
            library_with("root-use.sql", &text),
            Err(LibraryError::DuplicateId { .. })
        ));
    }

    #[test]
    fn a_question_that_writes_is_refused() {
        let text = OWN.replace("select 1 as one", "drop table events");
        assert!(matches!(
            library_with("own.sql", &text),
            Err(LibraryError::Statement { .. })
        ));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Library::embedded()
            .unwrap()
            .with_folder("/no/such/folder".as_ref())
            .unwrap_err();
        assert!(
            error.to_string().starts_with("cannot read `/no/such/folder`"),
            "{error}"
        );
    }
}
