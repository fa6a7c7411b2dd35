//! Files of a bundle that are links: what they lead to can change, and no hash binds it.

use std::os::unix::fs::symlink;

use super::*;

/// Takes the hash of a file out of sums and statement, as somebody would who puts a link in its place.
fn unbind(folder: &Path, name: &str) {
    rebind(folder);
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let line = sums.lines().find(|line| line.ends_with(&format!("  {name}"))).unwrap();
    let hash = line.split(' ').next().unwrap();
    for file in ["SHA256SUMS", "statement.intoto.json"] {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(hash, "")).unwrap();
    }
}

#[test]
fn link_is_no_part_of_a_bundle_even_if_the_sums_name_it_without_a_hash() {
    let bundled = Bundled::get();
    for name in ["tables/root-use.csv", "SHA256SUMS", "statement.intoto.json"] {
        let copy = bundled.copy();
        let apart = tempfile::tempdir().unwrap();
        let (path, target) = (copy.path().join(name), apart.path().join("file"));
        if name.starts_with("tables") {
            unbind(copy.path(), name);
        }
        fs::rename(&path, &target).unwrap();
        symlink(&target, &path).unwrap();
        let ended = bundled.verify(copy.path(), &[]);
        assert_eq!(ended.code, 3, "{name}: {ended:?}");
        assert!(
            ended.stdout.contains(&format!("`{name}` is no part of the bundle")),
            "{name}: {ended:?}"
        );
    }
}
