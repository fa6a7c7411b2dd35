//! The signature of a bundle.

use serde_json::Value;

use crate::cli::args::EvidenceVerifyArgs;
use crate::cli::bundle::BundleFolder;
use crate::cli::error::CliError;
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
}

/// Checks the signature of a bundle, if there is one, the bundle says that there is, or the arguments ask for one.
///
/// # Errors
/// When a file cannot be read, or the signature is of a kind that only OpenSSH can check.
pub(super) fn check(folder: &BundleFolder, args: &EvidenceVerifyArgs) -> Result<Signed, CliError> {
    let problem = |problem: fn(String) -> Problem| Signed {
        problem: Some(problem(SIGNATURE_FILE.to_owned())),
        note: None,
    };
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
            true => problem(Problem::Missing),
            false => Signed::default(),
        });
    }
    let seal = match SealCheck::of(&folder.read(SIGNATURE_FILE)?, &folder.read(SUMS_FILE)?) {
        SealCheck::Holds(seal) => seal,
        SealCheck::Broken => return Ok(problem(Problem::NotSigned)),
        SealCheck::Foreign(kind) => {
            return Err(CliError::Usage {
                message: format!("the bundle is signed by a key of the kind `{}`", escape::visible(&kind)),
                hint: Some(format!(
                    "check it with `ssh-keygen -Y verify -n file -f SIGNERS -I NAME -s {SIGNATURE_FILE} < {SUMS_FILE}`, and the \
                     rest without that file"
                )),
            });
        }
    };
    if named.is_some_and(|named| named != seal.public_key()) {
        return Ok(problem(Problem::NotSigned));
    }
    let key = seal.fingerprint();
    let Some(allowed) = allowed else {
        return Ok(Signed {
            problem: None,
            note: Some(format!(
                "signed with the key {key}; whose that is, `--allowed-signers` tells"
            )),
        });
    };
    Ok(match seal.signer(&allowed, args.signer.as_deref()) {
        None => problem(Problem::Stranger),
        Some(signer) => Signed {
            problem: None,
            note: Some(format!("signed by `{signer}` with the key {key}")),
        },
    })
}
