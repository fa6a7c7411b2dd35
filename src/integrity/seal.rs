//! Signatures over a file by somebody's own SSH key, as `ssh-keygen -Y sign` makes them and `ssh-keygen -Y verify` checks
//! them.
//!
//! Only ed25519: one key and one text give one signature, so that bundles stay the same to the byte.

use std::fmt;

use aws_lc_rs::signature::ED25519;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::UnparsedPublicKey;
use ssh_key::Algorithm;
use ssh_key::HashAlg;
use ssh_key::LineEnding;
use ssh_key::PrivateKey;
use ssh_key::PublicKey;
use ssh_key::Signature;
use ssh_key::SshSig;
use ssh_key::private::KeypairData;
use ssh_key::public::Ed25519PublicKey;
use ssh_key::public::KeyData;

use crate::event::decode_base64;

/// What the signature is for, as `ssh-keygen -n` has it.
const SEAL_NAMESPACE: &str = "file";

/// What a signature begins with.
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const MAGIC: &[u8] = b"SSHSIG\0\0\0\x01";
/// Kinds of keys that OpenSSH signs with, and this program does not check.
const FOREIGN_KINDS: [&str; 6] = [
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "ssh-rsa",
];

/// A key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It cannot be read.
    #[error("it is no private key in the form of OpenSSH: {0}")]
    NoKey(ssh_key::Error),
    /// It needs a passphrase.
    #[error(
        "it is encrypted; take a key without a passphrase, or sign `SHA256SUMS` in the finished folder with `ssh-keygen -Y sign -n file`"
    )]
    Encrypted,
    /// It is of another kind.
    #[error("it is of the kind `{0}`, and only ed25519 keys sign here")]
    Kind(String),
    /// The parts of the key do not fit together.
    #[error("its parts do not fit together")]
    Broken,
}

/// A key that signs.
pub struct SealingKey {
    pair: Ed25519KeyPair,
    public: KeyData,
}

/// What is known of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealCheck {
    /// It is one of this text.
    Holds(Seal),
    /// It is none, or of another text.
    Broken,
    /// It is by a key of this kind, which only OpenSSH can check.
    Foreign(String),
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    public: KeyData,
}

/// People and their keys, as `ssh-keygen` reads them from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    principals: String,
    namespaces: Option<String>,
    public: KeyData,
}

impl SealingKey {
    /// Reads a private key without a passphrase.
    ///
    /// # Errors
    /// When it is none, encrypted, or of another kind than ed25519.
    pub fn read(text: &[u8]) -> Result<Self, SealError> {
        let key = PrivateKey::from_openssh(text).map_err(SealError::NoKey)?;
        if key.is_encrypted() {
            return Err(SealError::Encrypted);
        }
        let KeypairData::Ed25519(keys) = key.key_data() else {
            return Err(SealError::Kind(key.algorithm().to_string()));
        };
        let pair = Ed25519KeyPair::from_seed_and_public_key(&keys.private.to_bytes(), &keys.public.0);
        Ok(Self {
            pair: pair.map_err(|_| SealError::Broken)?,
            public: KeyData::Ed25519(keys.public),
        })
    }

    /// The public key as OpenSSH writes it.
    pub fn public_key(&self) -> String {
        openssh(&self.public)
    }

    /// The signature of a text.
    ///
    /// # Errors
    /// Only when the text has more bytes than the form can say.
    pub fn sign(&self, text: &[u8]) -> Result<String, SealError> {
        let hash = HashAlg::Sha512;
        let signed = SshSig::signed_data(SEAL_NAMESPACE, hash, text).map_err(SealError::NoKey)?;
        let signature = Signature::new(Algorithm::Ed25519, self.pair.sign(&signed).as_ref());
        let seal = signature.and_then(|signature| SshSig::new(self.public.clone(), SEAL_NAMESPACE, hash, signature));
        let written = seal.and_then(|seal| seal.to_pem(LineEnding::LF));
        written.map_err(SealError::NoKey)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SealingKey").field(&self.public_key()).finish()
    }
}

impl SealCheck {
    /// Checks a signature of a text. Another spelling of a valid signature is none: nothing in a bundle may be changed.
    pub fn of(signature: &[u8], text: &[u8]) -> Self {
        if let Some(kind) = foreign_kind(signature) {
            return Self::Foreign(kind.to_owned());
        }
        let Ok(seal) = SshSig::from_pem(signature) else {
            return Self::Broken;
        };
        let is_as_written = seal
            .to_pem(LineEnding::LF)
            .is_ok_and(|again| again.as_bytes() == signature);
        if !is_as_written || seal.namespace() != SEAL_NAMESPACE {
            return Self::Broken;
        }
        let KeyData::Ed25519(Ed25519PublicKey(public)) = seal.public_key() else {
            return Self::Broken;
        };
        let Ok(signed) = SshSig::signed_data(SEAL_NAMESPACE, seal.hash_alg(), text) else {
            return Self::Broken;
        };
        let key = UnparsedPublicKey::new(&ED25519, public);
        match key.verify(&signed, seal.signature_bytes()) {
            Ok(()) => Self::Holds(Seal {
                public: seal.public_key().clone(),
            }),
            Err(_) => Self::Broken,
        }
    }
}

impl Seal {
    /// The key that signed, as OpenSSH writes it.
    pub fn public_key(&self) -> String {
        openssh(&self.public)
    }

    /// Its fingerprint, as OpenSSH shows it.
    pub fn fingerprint(&self) -> String {
        PublicKey::new(self.public.clone(), "")
            .fingerprint(HashAlg::Sha256)
            .to_string()
    }

    /// Who signed, if it is one of the allowed, and the one that is named if one is.
    pub fn signer<'a>(&self, allowed: &'a AllowedSigners, name: Option<&str>) -> Option<&'a str> {
        let mut entries = allowed.entries.iter().filter(|entry| entry.public == self.public);
        let found = entries.find(|entry| {
            let is_meant = name.is_none_or(|name| has(&entry.principals, name));
            let namespaces = entry.namespaces.as_ref();
            is_meant && namespaces.is_none_or(|namespaces| has(namespaces, SEAL_NAMESPACE))
        });
        found.map(|entry| entry.principals.as_str())
    }
}

impl AllowedSigners {
    /// Reads the file. Lines with other options than `namespaces` allow nobody here: what they ask for is not checked.
    pub fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let entries = lines.filter(|line| !line.starts_with('#')).filter_map(Entry::read);
        Self {
            entries: entries.collect(),
        }
    }
}

impl Entry {
    fn read(line: &str) -> Option<Self> {
        let words = words(line);
        let (principals, options, key) = match words.as_slice() {
            [principals, kind, key, ..] if is_kind(kind) => (principals, None, format!("{kind} {key}")),
            [principals, options, kind, key, ..] if is_kind(kind) => {
                (principals, Some(options), format!("{kind} {key}"))
            }
            _ => return None,
        };
        let namespaces = match options {
            None => None,
            Some(options) => {
                let (name, value) = options.split_once('=')?;
                let value = value.strip_prefix('"')?.strip_suffix('"')?;
                (name.eq_ignore_ascii_case("namespaces") && !value.contains('"')).then_some(())?;
                Some(value.to_owned())
            }
        };
        Some(Self {
            principals: principals.trim_matches('"').to_owned(),
            namespaces,
            public: PublicKey::from_openssh(&key).ok()?.key_data().clone(),
        })
    }
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| word.starts_with(kind))
}

/// Words between blanks; blanks within quotes are part of a word.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        is_quoted ^= character == '"';
        match words.last_mut() {
            Some(word) if is_quoted || !character.is_ascii_whitespace() => word.push(character),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a list of patterns has a name: `*` and `?` stand for others, `!` takes away.
fn has(patterns: &str, name: &str) -> bool {
    let mut has = false;
    for pattern in patterns.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(pattern) if fits(pattern.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => has |= fits(pattern.as_bytes(), name.as_bytes()),
        }
    }
    has
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => fits(rest, name) || name.split_first().is_some_and(|(_, name)| fits(pattern, name)),
        (Some((b'?', pattern)), Some((_, name))) => fits(pattern, name),
        (Some((wanted, pattern)), Some((found, name))) => wanted == found && fits(pattern, name),
        _ => false,
    }
}

fn openssh(public: &KeyData) -> String {
    PublicKey::new(public.clone(), "")
        .to_openssh()
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

/// The kind of the key in a signature, if OpenSSH knows it and this program does not: the library does not read all of them.
fn foreign_kind(signature: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(signature).ok()?.strip_prefix(BEGIN)?;
    let (body, _) = text.split_once("-----END")?;
    let bytes = decode_base64(&body.replace('\n', ""))?;
    // Behind the magic stands how long the key is, then how long the name of its kind is, then that.
    let (length, rest) = bytes.strip_prefix(MAGIC)?.get(4..)?.split_first_chunk::<4>()?;
    let kind = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    FOREIGN_KINDS.into_iter().find(|known| known.as_bytes() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made for these tests with `ssh-keygen -t ed25519`.
    const KEY: &str = include_str!("testing/seal-key");
    const PUBLIC_KEY: &str = include_str!("testing/seal-key.pub");
    const ENCRYPTED: &str = include_str!("testing/seal-key-encrypted");
    /// What `ssh-keygen -Y sign -n file` made of [`TEXT`] with that key.
    const SIGNATURE: &str = include_str!("testing/seal.sig");
    const TEXT: &[u8] = b"0123  index.html\n";

    fn key() -> SealingKey {
        SealingKey::read(KEY.as_bytes()).unwrap()
    }

    #[test]
    fn signature_is_that_of_ssh_keygen_to_the_byte() {
        assert_eq!(key().sign(TEXT).unwrap(), SIGNATURE);
        assert!(PUBLIC_KEY.starts_with(&key().public_key()), "{}", key().public_key());
    }

    #[test]
    fn signatures_of_other_kinds_of_keys_are_named() {
        for (signature, kind) in [
            (&include_bytes!("testing/foreign-ecdsa.sig")[..], "ecdsa-sha2-nistp256"),
            (include_bytes!("testing/foreign-rsa.sig"), "ssh-rsa"),
        ] {
            assert_eq!(SealCheck::of(signature, TEXT), SealCheck::Foreign(kind.to_owned()));
            let cut = &signature[..signature.len() / 2];
            assert_eq!(SealCheck::of(cut, TEXT), SealCheck::Broken);
        }
    }

    #[test]
    fn any_changed_byte_of_text_or_signature_breaks_it() {
        let SealCheck::Holds(seal) = SealCheck::of(SIGNATURE.as_bytes(), TEXT) else {
            panic!("the signature does not hold")
        };
        assert_eq!(seal.public_key(), key().public_key());
        assert!(seal.fingerprint().starts_with("SHA256:"));
        for position in 0..TEXT.len() {
            let mut changed = TEXT.to_vec();
            changed[position] ^= 1;
            assert_eq!(SealCheck::of(SIGNATURE.as_bytes(), &changed), SealCheck::Broken);
        }
        for position in 0..SIGNATURE.len() {
            for bit in [1, 4, 32] {
                let mut changed = SIGNATURE.as_bytes().to_vec();
                changed[position] ^= bit;
                let is_same = |seal: &Seal| seal.public_key() == key().public_key();
                let check = SealCheck::of(&changed, TEXT);
                let holds = matches!(&check, SealCheck::Holds(seal) if is_same(seal));
                assert!(!holds, "{position} {bit}: {check:?}");
            }
        }
    }

    #[test]
    fn key_that_cannot_sign_says_why() {
        assert!(matches!(SealingKey::read(b"x"), Err(SealError::NoKey(_))));
        assert!(matches!(
            SealingKey::read(ENCRYPTED.as_bytes()),
            Err(SealError::Encrypted)
        ));
        assert!(!format!("{:?}", key()).contains("PRIVATE"));
    }

    #[test]
    fn signer_is_found_by_key_name_and_namespace() {
        let SealCheck::Holds(seal) = SealCheck::of(SIGNATURE.as_bytes(), TEXT) else {
            panic!("the signature does not hold")
        };
        let key = key().public_key();
        let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
        for (line, name, found) in [
            (format!("audit@example.com {key} remark"), None, true),
            (format!("audit@example.com {key}"), Some("audit@example.com"), true),
            (
                format!("*@example.com,!eve@example.com {key}"),
                Some("audit@example.com"),
                true,
            ),
            (
                format!("*@example.com,!eve@example.com {key}"),
                Some("eve@example.com"),
                false,
            ),
            (format!("audit@example.com {key}"), Some("eve@example.com"), false),
            (format!("audit@example.com {other}"), None, false),
            (format!("a namespaces=\"git,file\" {key}"), Some("a"), true),
            (format!("a namespaces=\"git\" {key}"), Some("a"), false),
            (format!("a cert-authority {key}"), Some("a"), false),
            (format!("a valid-before=\"20200101\" {key}"), Some("a"), false),
            (format!("# a {key}"), Some("a"), false),
        ] {
            let allowed = AllowedSigners::read(&format!("\n{line}\n"));
            assert_eq!(seal.signer(&allowed, name).is_some(), found, "{line}");
        }
    }
}
