//! Finding the data file that makes a query fail, because the engine's own message does not always name it.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::Store;
use super::StoreError;
use super::TableSnapshot;
use super::files::RemoteFiles;
use super::parquet_file;

impl Store {
    /// The first data file of a snapshot that is not there, not as large as it was made, or has no readable footer.
    ///
    /// Opens every file, so it is for a query that has failed, and for a look at a store as a whole.
    pub fn damaged_file(&self, snapshot: &TableSnapshot) -> Option<StoreError> {
        if let Some(remote) = self.storage().remote() {
            return remote_damage(remote, snapshot);
        }
        let folder = self.table_folder(snapshot.table);
        snapshot.files.iter().find_map(|file| {
            let path = folder.join(&file.path);
            let reason = damage(&path, file.size)?;
            Some(StoreError::DamagedFile {
                path: path.display().to_string(),
                reason,
            })
        })
    }

    /// The first data file of a snapshot in a folder whose rows cannot be decoded.
    ///
    /// Reads every file to its end, so it is for a query that has failed in one that [`Self::damaged_file`] does not find. Reads no
    /// further one, and finds nothing, once `is_stopped` is raised.
    pub fn undecodable_file(&self, snapshot: &TableSnapshot, is_stopped: &AtomicBool) -> Option<StoreError> {
        if self.storage().remote().is_some() {
            return None;
        }
        let folder = self.table_folder(snapshot.table);
        let paths = snapshot.files.iter().map(|file| folder.join(&file.path));
        let mut wanted = paths.take_while(|_| !is_stopped.load(Ordering::Relaxed));
        wanted.find_map(|path| parquet_file::decode(&path).err())
    }
}

/// As a listing shows it; footers are not fetched.
fn remote_damage(remote: &RemoteFiles, snapshot: &TableSnapshot) -> Option<StoreError> {
    let sizes: HashMap<String, u64> = remote.sizes(snapshot.table).ok()?.into_iter().collect();
    snapshot.files.iter().find_map(|file| {
        let reason = match sizes.get(&file.path) {
            None => "is missing".to_owned(),
            Some(size) if *size != file.size => format!("has {size} bytes instead of {}", file.size),
            Some(_) => return None,
        };
        Some(StoreError::DamagedFile {
            path: remote.uri(snapshot.table, &file.path).display().to_string(),
            reason,
        })
    })
}

/// What is wrong with a data file that was made with `size` bytes.
fn damage(path: &Path, size: u64) -> Option<String> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some("is missing".to_owned()),
        Err(error) => Some(format!("cannot be read: {error}")),
        Ok(metadata) if metadata.len() == 0 => Some("is empty".to_owned()),
        Ok(metadata) if metadata.len() != size => Some(format!("has {} bytes instead of {size}", metadata.len())),
        Ok(_) => match parquet_file::count_rows(path) {
            Ok(_) => None,
            Err(StoreError::DamagedFile { reason, .. }) => Some(reason),
            Err(error) => Some(format!("cannot be read: {error}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestStore;
    use super::*;

    #[tokio::test]
    async fn file_with_other_bytes_among_its_rows_is_found_by_reading_it() {
        let test = TestStore::create().await;
        let snapshot = test.commit("s3://logs/1", &["a"]).await;
        let going_on = AtomicBool::new(false);
        assert!(test.store.undecodable_file(&snapshot, &going_on).is_none());
        let path = test.folder().join("events").join(&snapshot.files[0].path);
        let mut bytes = fs::read(&path).unwrap();
        bytes[4..200].fill(0xff);
        fs::write(&path, bytes).unwrap();
        assert!(test.store.damaged_file(&snapshot).is_none());
        let text = test.store.undecodable_file(&snapshot, &going_on).unwrap().to_string();
        assert!(text.contains(&format!("`{}` is damaged", path.display())), "{text}");
        assert!(text.contains("--at-version"), "{text}");
        let stopped = AtomicBool::new(true);
        assert!(test.store.undecodable_file(&snapshot, &stopped).is_none());
    }

    #[tokio::test]
    async fn missing_empty_short_and_overwritten_files_are_told_apart() {
        let test = TestStore::create().await;
        let snapshot = test.commit("s3://logs/1", &["a"]).await;
        assert!(test.store.damaged_file(&snapshot).is_none());
        let path = test.folder().join("events").join(&snapshot.files[0].path);
        let size = usize::try_from(snapshot.files[0].size).unwrap();
        let contents = [
            (Some(Vec::new()), "is empty"),
            (Some(vec![1; 7]), "has 7 bytes instead of"),
            (Some(vec![1; size]), "is damaged"),
            (None, "is missing"),
        ];
        for (content, reason) in contents {
            match content {
                Some(content) => fs::write(&path, content).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let text = test.store.damaged_file(&snapshot).unwrap().to_string();
            assert!(text.contains(&format!("`{}` {reason}", path.display())), "{text}");
            assert!(text.contains("--at-version"), "{text}");
        }
    }
}
