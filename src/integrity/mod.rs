//! Log file integrity validation: what CloudTrail's digest files prove about themselves and about the log files that they
//! name; and signatures by people's own keys over what is exported.
//!
//! Verdicts are in the words of `aws cloudtrail validate-logs`; what that command does not look at is a [`Finding`] beside
//! the verdict. Pure: bytes and names come in, verdicts go out. Where the bytes lie and how many are looked at in parallel
//! is left to others.

mod chain;
mod check;
mod content;
mod coverage;
mod digest;
mod digest_key;
mod group;
mod keys;
mod logs;
mod origin;
mod others;
mod outline;
mod place;
mod recorded;
mod seal;
mod signature;
mod verdict;
mod window;

pub use check::CheckedDigest;
pub use check::FoundDigest;
pub use check::Metadata;
pub use check::Stored;
pub use content::HashedLog;
pub use content::StreamEnd;
pub use digest_key::DigestKey;
pub use group::Group;
pub use group::GroupReport;
pub use group::Settlement;
pub use keys::KeysError;
pub use keys::PublicKey;
pub use keys::PublicKeys;
pub use logs::LogContent;
pub use logs::PresentLog;
pub use origin::Origins;
pub use outline::DigestOutline;
pub use outline::OutlinedLog;
pub use place::Place;
pub use recorded::Recorded;
pub use seal::AllowedSigners;
pub use seal::Seal;
pub use seal::SealCheck;
pub use seal::SealError;
pub use seal::SealingKey;
pub use verdict::ChainName;
pub use verdict::ChainReport;
pub use verdict::FileKind;
pub use verdict::FileReport;
pub use verdict::Finding;
pub use verdict::Level;
pub use verdict::Rule;
pub use verdict::Verdict;
pub use window::Window;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
