//! Bundles that were packed anew or damaged, and bundles that would reach beyond the store.

use super::*;

#[test]
fn damaged_archive_ends_as_any_change_and_names_the_file() {
    let bundled = Bundled::get();
    let packed = bundled.path("to-damage.tar");
    let ended = bundled.export("to-damage.tar", &[]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let whole = fs::read(&packed).unwrap();
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(&packed, bytes).unwrap();
        bundled.verify(&packed, &[])
    };
    // The header of the second file, a content, and the end.
    let second = 1_024 + usize::from_str_radix(std::str::from_utf8(&whole[124..135]).unwrap(), 8).unwrap() / 512 * 512;
    for ended in [
        damaged(&|bytes| bytes[second + 1] ^= 1),
        damaged(&|bytes| bytes[600] ^= 1),
        damaged(&|bytes| bytes.truncate(bytes.len() - 700)),
    ] {
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stdout.starts_with('`'), "{ended:?}");
    }
}

#[test]
fn bundle_that_another_tool_packed_is_the_same_bundle() {
    let bundled = Bundled::get();
    let whole = bundled.path("whole");
    for (name, folder, what) in [
        ("inside.tar", whole.clone(), "."),
        ("around.tar", bundled.path(""), "whole"),
    ] {
        let archive = bundled.path(name);
        let packed = std::process::Command::new("tar")
            .arg("-cf")
            .arg(&archive)
            .arg("-C")
            .arg(&folder)
            .arg(what)
            .status();
        assert!(packed.unwrap().success());
        let ended = bundled.verify(&archive, &[]);
        assert_eq!(ended.code, 0, "{name}: {ended:?}");
    }
}

#[test]
fn question_that_reads_files_is_refused_when_a_bundle_is_made_and_when_it_is_checked() {
    let place = process::Place::new();
    let record = json!({"Records": [record_of("e1", "agent")]}).to_string();
    place.write("a.json", record.as_bytes());
    assert_eq!(place.ingest(&[]).code, 0);
    let folder = place.folder().to_path_buf();
    let question = |sql: &str| {
        let text = format!(
            "-- @id mine\n-- @title Mine\n-- @question What?\n-- @column event_id utf8  The event.\n{sql} order by event_id\n"
        );
        fs::create_dir_all(folder.join("own")).unwrap();
        fs::write(folder.join("own/mine.sql"), text).unwrap();
    };
    let controls = folder.join("controls.toml");
    let map = "[[exhibit]]\nid = 'mine'\nquestion = 'mine'\ntitle = 'M'\nshows = 'm'\n\
               [[control]]\nframework = 'soc2'\nid = 'CC6.1'\ntitle = 'x'\nevidence = [{ exhibit = 'mine', reason = 'r' }]\n";
    fs::write(&controls, map).unwrap();
    let (own, controls) = (folder.join("own").display().to_string(), controls.display().to_string());
    let export = |out: &str| {
        let out = folder.join(out).display().to_string();
        let arguments = [
            "evidence",
            "export",
            "--period",
            "2026-09",
            "--framework",
            "soc2",
            "--queries",
            &own,
            "--controls",
            &controls,
            "--out",
            &out,
        ];
        process::run(&place.store(), &arguments)
    };
    let reading = format!(
        "select event_id from read_cloudtrail('{}')",
        folder.join("a.json").display()
    );
    question(&reading);
    let refused = export("refused");
    assert!(
        refused.code != 0 && refused.stderr.contains("answered from the store alone"),
        "{refused:?}"
    );
    question("select event_id from events");
    let made = export("bundle");
    assert!(matches!(made.code, 0 | 4), "{made:?}");
    let bundle = folder.join("bundle");
    let path = bundle.join("queries/mine.sql");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("select event_id from events", &reading)).unwrap();
    rebind(&bundle);
    let store = place.store().display().to_string();
    let verify = ["evidence", "verify", bundle.to_str().unwrap(), "--store", &store];
    let ended = process::run(&place.store(), &verify);
    assert_eq!(ended.code, 3, "{ended:?}");
    let named = "`queries/mine.sql` reads files outside of the store";
    assert!(ended.stdout.contains(named), "{ended:?}");
}
