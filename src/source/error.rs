//! What can go wrong before an object's bytes are at hand.

use std::path::PathBuf;

use super::Fault;

/// A source that cannot be listed at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is nothing at the path.
    #[error("cannot read `{}`: no such file or folder; check the path, it is taken relative to the current folder", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// The path is there but cannot be read.
    #[error("cannot read `{}`: {cause}; check the path, and that this user may read it", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The path names a pipe, a device or a socket.
    #[error("cannot read `{}`: neither a file nor a folder; save its content to a file first", path.display())]
    NeitherFileNorFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The source is no folder or file, and only those can be read here.
    #[error(
        "cannot read `{text}`: only folders and files can be read here; copy the objects first, for example with `aws s3 sync`"
    )]
    NotLocal {
        /// The source as given.
        text: String,
    },
    /// The source is of a kind that this version does not read.
    #[error("cannot read `{text}`: only folders, files and `s3://bucket/prefix` can be read; copy the objects first")]
    Unsupported {
        /// The source as given.
        text: String,
    },
    /// The source is an ARN of S3 that no request can be sent to.
    #[error("cannot read `{text}`: {instead}")]
    WrongArn {
        /// The source as given.
        text: String,
        /// What to write in its place.
        instead: String,
    },
    /// A bucket cannot be listed at all.
    #[error("cannot list `{uri}`: {fault}")]
    Bucket {
        /// What was listed.
        uri: String,
        /// What is wrong, and what to do.
        fault: Fault,
    },
    /// A bucket is named as a source beside a list that takes its place.
    #[error(
        "cannot read `{uri}` beside the keys in `{list}`: read it in a run of its own; only keys in lines without a bucket take one, whole, as the source"
    )]
    BesideList {
        /// The source.
        uri: String,
        /// The list of keys or the inventory.
        list: String,
    },
    /// A list of keys or an inventory cannot be understood.
    #[error("cannot read the keys in `{name}`: {reason}")]
    Keys {
        /// The file, or `-` for standard input.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}
