//! Names that are the same for the same thing: UUIDs of version 5, which documents for machines ask for.

use aws_lc_rs::digest;
use uuid::Builder;
use uuid::Uuid;

/// The namespace of everything that this program names.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d1c_2a52_87b4_4c0e_9b63_0d3c_7f1e_a6c9);

/// Gives names within one bundle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identities {
    namespace: Uuid,
}

impl Identities {
    /// Of the bundle whose record has this hash.
    pub(super) fn of_bundle(record_sha256: &str) -> Self {
        Self {
            namespace: version_5(NAMESPACE, record_sha256),
        }
    }

    /// The name of a thing of a kind.
    pub(super) fn name(self, kind: &str, thing: &str) -> String {
        version_5(self.namespace, &format!("{kind}\n{thing}")).to_string()
    }
}

/// RFC 9562, section 5.5.
fn version_5(namespace: Uuid, name: &str) -> Uuid {
    let text = [namespace.as_bytes(), name.as_bytes()].concat();
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &text);
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard() {
        // The example of RFC 9562, appendix A.4.
        let dns = Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8);
        let name = version_5(dns, "www.example.com").to_string();
        assert_eq!(name, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }

    #[test]
    fn kinds_and_bundles_are_told_apart() {
        let bundle = Identities::of_bundle("a");
        assert_eq!(bundle.name("file", "x"), bundle.name("file", "x"));
        assert_ne!(bundle.name("file", "x"), bundle.name("exhibit", "x"));
        assert_ne!(bundle.name("file", "x"), Identities::of_bundle("b").name("file", "x"));
    }
}
