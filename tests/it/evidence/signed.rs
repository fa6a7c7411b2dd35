//! Bundles that are signed with somebody's own key.

use super::*;

fn fixture(name: &str) -> String {
    format!("{}/src/integrity/testing/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A signed bundle of the sample, and a file with its signer.
fn signed(bundled: &Bundled, folder: &Path) -> (PathBuf, String) {
    let (bundle, key) = (folder.join("signed"), fixture("seal-key"));
    let ended = bundled.run(&[
        "evidence",
        "export",
        "--period",
        "2026-09-01..2026-09-15",
        "--out",
        bundle.to_str().unwrap(),
        "--sign-key",
        &key,
    ]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let public_key = fs::read_to_string(fixture("seal-key.pub")).unwrap();
    let signers = folder.join("signers");
    fs::write(&signers, format!("audit@example.com {public_key}")).unwrap();
    (bundle, signers.display().to_string())
}

/// The name that is asked for must be allowed, and is the one that is told.
fn assert_names(verify: &dyn Fn(&[&str]) -> Ended, folder: &Path, signers: &str) {
    let named = verify(&["--allowed-signers", signers, "--signer", "audit@example.com"]);
    assert!(
        named.code == 0 && named.stderr.contains("signed by `audit@example.com`"),
        "{named:?}"
    );
    let pattern = folder.join("pattern");
    let lines = fs::read_to_string(signers).unwrap();
    fs::write(&pattern, lines.replace("audit@", "*@")).unwrap();
    let by_pattern = verify(&[
        "--allowed-signers",
        pattern.to_str().unwrap(),
        "--signer",
        "audit@example.com",
    ]);
    assert!(
        by_pattern.code == 0 && by_pattern.stderr.contains("signed by `audit@example.com`"),
        "{by_pattern:?}"
    );
    let other = verify(&["--allowed-signers", signers, "--signer", "eve@example.com"]);
    assert!(
        other.code == 3 && other.stdout.contains("by nobody who is allowed to sign"),
        "{other:?}"
    );
}

#[test]
fn signature_is_checked_with_and_without_names_and_every_flipped_byte_of_it_is_found() {
    let bundled = Bundled::get();
    let folder = tempfile::tempdir().unwrap();
    let (bundle, signers) = signed(bundled, folder.path());
    let verify = |more: &[&str]| bundled.verify(&bundle, more);
    let plain = verify(&[]);
    assert!(
        plain.code == 0 && plain.stderr.contains("signed with the key SHA256:"),
        "{plain:?}"
    );
    assert_names(&verify, folder.path(), &signers);
    let store = bundled.path("store").display().to_string();
    let again = verify(&["--store", &store]);
    assert_eq!(again.code, 0, "{again:?}");
    let path = bundle.join("SHA256SUMS.sig");
    let signature = fs::read(&path).unwrap();
    for position in (0..signature.len()).step_by(37) {
        let mut changed = signature.clone();
        changed[position] ^= 1;
        fs::write(&path, &changed).unwrap();
        let flipped = verify(&[]);
        assert!(
            flipped.code == 3
                && flipped
                    .stdout
                    .contains("`SHA256SUMS.sig` is no signature of this bundle"),
            "{position}: {flipped:?}"
        );
    }
    fs::remove_file(&path).unwrap();
    let dropped = verify(&[]);
    assert!(
        dropped.code == 3 && dropped.stdout.contains("`SHA256SUMS.sig` is missing"),
        "{dropped:?}"
    );
    // Whoever changes a table and binds it anew has no signature for that.
    fs::write(&path, &signature).unwrap();
    fs::write(bundle.join("tables/root-use.csv"), "x\n").unwrap();
    fs::remove_file(&path).unwrap();
    rebind(&bundle);
    fs::write(&path, &signature).unwrap();
    let rebound = verify(&[]);
    assert!(
        rebound.code == 3
            && rebound
                .stdout
                .contains("`SHA256SUMS.sig` is no signature of this bundle"),
        "{rebound:?}"
    );
}

#[test]
fn unsigned_bundle_is_refused_where_a_signature_is_asked_for() {
    let bundled = Bundled::get();
    let folder = tempfile::tempdir().unwrap();
    let signers = folder.path().join("signers");
    fs::write(&signers, "").unwrap();
    let ended = bundled.verify(
        &bundled.path("whole"),
        &["--allowed-signers", signers.to_str().unwrap()],
    );
    assert!(
        ended.code == 3 && ended.stdout.contains("`SHA256SUMS.sig` is missing"),
        "{ended:?}"
    );
}

#[test]
fn key_that_cannot_sign_makes_no_bundle() {
    let bundled = Bundled::get();
    let ended = bundled.export("unsigned", &["--sign-key", &fixture("seal-key-encrypted")]);
    assert!(ended.code == 2 && ended.stderr.contains("it is encrypted"), "{ended:?}");
    assert!(!bundled.path("unsigned").exists());
}

#[test]
fn signature_of_another_kind_of_key_is_told_after_the_files_and_leaves_the_check_incomplete() {
    let bundled = Bundled::get();
    let copy = bundled.copy();
    fs::copy(fixture("foreign-ecdsa.sig"), copy.path().join("SHA256SUMS.sig")).unwrap();
    let verify = |more: &[&str]| bundled.verify(copy.path(), more);
    let unchecked = verify(&[]);
    assert!(
        unchecked.code == 4 && unchecked.stderr.contains("`ecdsa-sha2-nistp256`"),
        "{unchecked:?}"
    );
    assert!(
        unchecked.stderr.contains("as they were bound together"),
        "{unchecked:?}"
    );
    let signers = copy.path().with_extension("signers");
    fs::write(&signers, "").unwrap();
    let asked = verify(&["--allowed-signers", signers.to_str().unwrap()]);
    fs::remove_file(&signers).unwrap();
    assert!(
        asked.code == 2 && asked.stderr.contains("ssh-keygen -Y verify"),
        "{asked:?}"
    );
    fs::write(copy.path().join("tables/root-use.csv"), "x\n").unwrap();
    let changed = verify(&[]);
    assert!(
        changed.code == 3 && changed.stdout.contains("`tables/root-use.csv` differs"),
        "{changed:?}"
    );
    // A bundle that names its key has a signature of that.
    let folder = tempfile::tempdir().unwrap();
    let (bundle, _) = signed(bundled, folder.path());
    fs::copy(fixture("foreign-ecdsa.sig"), bundle.join("SHA256SUMS.sig")).unwrap();
    let replaced = bundled.verify(&bundle, &[]);
    assert!(
        replaced.code == 3 && replaced.stdout.contains("is no signature of this bundle"),
        "{replaced:?}"
    );
}
