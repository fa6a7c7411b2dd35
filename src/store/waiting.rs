//! Where prepared batches wait in the store for their commit, so that workers and committer need no other place in common.
//!
//! Below the folder of `events`, in a folder that readers of Delta pass over because of its `_`.

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::PutPayload;
use object_store::path::Path as ObjectPath;

use super::Store;
use super::StoreError;
use crate::schema::Table;

pub(super) const FOLDER: &str = "_prepared";
/// No run prepares as much; a larger file is not ours.
const LARGEST_BYTES: u64 = 256 << 20;

impl Store {
    /// Leaves the lines of a run's batches in the store, in place of those that it left before.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn leave_waiting(&self, name: &str, text: String) -> Result<(), StoreError> {
        let files = self.log_store(Table::Events).object_store(None);
        let put = files.put(&place_of(name), PutPayload::from(text)).await;
        put.map(drop).map_err(|error| self.waiting_failed(name, &error))
    }

    /// Names of what waits in the store, in order.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn waiting(&self) -> Result<Vec<String>, StoreError> {
        let files = self.log_store(Table::Events).object_store(None);
        let listed: Result<Vec<_>, _> = files.list(Some(&ObjectPath::from(FOLDER))).try_collect().await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(self.waiting_failed("", &error)),
        };
        let names = listed.iter().filter_map(|file| file.location.filename());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The lines that wait under a name; `None` when another process has taken them meanwhile.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the file is none of ours.
    pub async fn read_waiting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let files = self.log_store(Table::Events).object_store(None);
        let found = match files.get(&place_of(name)).await {
            Ok(found) if found.meta.size <= LARGEST_BYTES => found.bytes().await,
            Ok(_) => return Err(self.not_text(name)),
            Err(error) => Err(error),
        };
        match found {
            Ok(bytes) => match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.not_text(name)),
            },
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.waiting_failed(name, &error)),
        }
    }

    /// Removes what waits under a name, after its commit.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn remove_waiting(&self, name: &str) -> Result<(), StoreError> {
        let files = self.log_store(Table::Events).object_store(None);
        match files.delete(&place_of(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.waiting_failed(name, &error)),
        }
    }

    fn not_text(&self, name: &str) -> StoreError {
        StoreError::Waiting {
            path: self.waiting_path(name),
            reason: "it holds no prepared batches".to_owned(),
        }
    }

    fn waiting_failed(&self, name: &str, error: &object_store::Error) -> StoreError {
        StoreError::Waiting {
            path: self.waiting_path(name),
            reason: error.to_string(),
        }
    }

    /// For people.
    fn waiting_path(&self, name: &str) -> String {
        let folder = self.table_folder(Table::Events).join(FOLDER);
        folder.join(name).display().to_string()
    }
}

fn place_of(name: &str) -> ObjectPath {
    ObjectPath::from_iter([FOLDER, name])
}
