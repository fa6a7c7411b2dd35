//! The signature of a bundle.

use serde_json::Value;

use crate::cli::args::EvidenceVerifyArgs;
use crate::cli::bundle::BundleFolder;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::integrity::AllowedSigners;
use crate::integrity::SealCheck;
use crate::report::escape;
use crate::report::evidence::Problem;
use crate::report::evidence::RECORD_FILE;
use crate::report::evidence::SIGNATURE_FILE;
use crate::report::evidence::SUMS_FILE;

/// What came of checking it.
#[derive(Debug, Default)]
pub(super) struct Signed {
    pub(super) problem: Option<Problem>,
    /// Who signed.
    pub(super) note: Option<String>,
    /// The kind of the key that signed, if only OpenSSH can check it.
    pub(super) foreign: Option<String>,
}

impl Signed {
    fn wrong(problem: fn(String) -> Problem) -> Self {
        Self {
            problem: Some(problem(SIGNATURE_FILE.to_owned())),
            ..Self::default()
        }
    }

    fn by(note: String) -> Self {
        Self {
            note: Some(note),
            ..Self::default()
        }
    }

    /// Says that a signature cannot be checked here; true if so.
    ///
    /// # Errors
    /// When the arguments ask for a signature by somebody.
    pub(super) fn tell_foreign(&self, args: &EvidenceVerifyArgs, output: &mut Output) -> Result<bool, CliError> {
        let Some(kind) = &self.foreign else {
            return Ok(false);
        };
        let message = format!(
            "the bundle is signed by a key of the kind `{}`, which is not checked here",
            escape::visible(kind)
        );
        let remedy = format!(
            "check it with `ssh-keygen -Y verify -n file -f SIGNERS -I NAME -s {SIGNATURE_FILE} < {SUMS_FILE}`"
        );
        if args.allowed_signers.is_some() {
            return Err(CliError::Usage {
                message,
                hint: Some(format!("{remedy}, and the rest without `--allowed-signers`")),
            });
        }
        output.warning(&format!("{message}; {remedy}"));
        Ok(true)
    }
}

/// Checks the signature of a bundle, if there is one, the bundle says that there is, or the arguments ask for one.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn check(folder: &BundleFolder, args: &EvidenceVerifyArgs) -> Result<Signed, CliError> {
    // Whatever else the record says: it may be of another version of this program.
    let record: Value = serde_json::from_slice(&folder.read(RECORD_FILE)?).unwrap_or_default();
    let named = record.get("signed_by").and_then(Value::as_str);
    let allowed = args.allowed_signers.as_deref().map(|path| {
        let text = std::fs::read_to_string(path).map_err(|cause| CliError::Read {
            path: path.to_owned(),
            cause,
        })?;
        Ok::<_, CliError>(AllowedSigners::read(&text))
    });
    let allowed = allowed.transpose()?;
    if !folder.files().contains_key(SIGNATURE_FILE) {
        return Ok(match named.is_some() || allowed.is_some() {
            true => Signed::wrong(Problem::Missing),
            false => Signed::default(),
        });
    }
    let seal = match SealCheck::of(&folder.read(SIGNATURE_FILE)?, &folder.read(SUMS_FILE)?) {
        SealCheck::Holds(seal) => seal,
        SealCheck::Broken => return Ok(Signed::wrong(Problem::NotSigned)),
        // A bundle that names a key was signed by one that can be checked.
        SealCheck::Foreign(_) if named.is_some() => return Ok(Signed::wrong(Problem::NotSigned)),
        SealCheck::Foreign(kind) => {
            return Ok(Signed {
                foreign: Some(kind),
                ..Signed::default()
            });
        }
    };
    if named.is_some_and(|named| named != seal.public_key()) {
        return Ok(Signed::wrong(Problem::NotSigned));
    }
    let key = seal.fingerprint();
    let Some(allowed) = allowed else {
        return Ok(Signed::by(format!(
            "signed with the key {key}; whose that is, `--allowed-signers` tells"
        )));
    };
    Ok(match seal.signer(&allowed, args.signer.as_deref()) {
        None => Signed::wrong(Problem::Stranger),
        Some(signer) => {
            let signer = args.signer.as_deref().unwrap_or(signer);
            Signed::by(format!("signed by `{signer}` with the key {key}"))
        }
    })
}
