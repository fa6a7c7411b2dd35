//! Looking at a store before a run, without changing it.

use super::Location;
use super::Store;
use super::StoreError;
use super::durable;
use super::error::Access;
use super::files::Files;
use super::prepare::prove_conditional_creation;
use crate::source::Fault;

/// Data files that no table names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnnamedFiles {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Counts data files that no version names, those among them that were replaced since: left by runs that were cut off,
    /// or being written now.
    ///
    /// # Errors
    ///
    /// The store cannot be listed.
    pub async fn unnamed_files(&self) -> Result<UnnamedFiles, StoreError> {
        let mut unnamed = UnnamedFiles::default();
        for table in self.tables().await? {
            let found = self.files_of(table).await?;
            // Listed first: what a commit names meanwhile does not count.
            let named = self.named_files(table).await?;
            for file in found {
                let path = file.location.as_ref();
                if path.ends_with(".parquet") && !path.starts_with("_delta_log/") && !named.contains(path) {
                    unnamed.files += 1;
                    unnamed.bytes += file.size;
                }
            }
        }
        Ok(unnamed)
    }

    /// Proves that the store can be written, by a file that is removed at once; in a bucket also that creation there is
    /// conditional, as a store needs it. The answer is why an object stays behind, if one does.
    ///
    /// # Errors
    ///
    /// It cannot be written, or a bucket lets an object be created twice.
    pub async fn probe_writable(location: &Location) -> Result<Option<Fault>, StoreError> {
        if let Files::Bucket(remote) = Files::at(location).await? {
            return prove_conditional_creation(&remote, location).await;
        }
        let root = location.root();
        let existing = root.ancestors().find(|folder| folder.is_dir());
        let folder = existing.unwrap_or(&root);
        let proven = durable::probe_writable(folder);
        proven.map_err(|error| StoreError::from_io(folder, Access::Write, error))?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestStore;
    use super::*;

    #[tokio::test]
    async fn file_that_no_version_names_is_counted() {
        let test = TestStore::create().await;
        test.commit("s3://logs/1", &["a"]).await;
        assert_eq!(test.store.unnamed_files().await.unwrap(), UnnamedFiles::default());
        let staged = test.stage(&["b"]);
        let unnamed = test.reopen().await.unnamed_files().await.unwrap();
        assert_eq!((unnamed.files, unnamed.bytes), (1, staged.bytes()));
        test.store.discard(vec![staged]);
        assert_eq!(test.store.unnamed_files().await.unwrap(), UnnamedFiles::default());
        assert!(Store::probe_writable(test.store.location()).await.is_ok());
        let missing = Location::parse("/proc/trimtrail/store").unwrap();
        assert!(Store::probe_writable(&missing).await.is_err());
    }
}
