//! The source tree keeps its own rules: the direction of modules, one owner per crate, short files, documented columns.

mod rules;
mod text;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use trimtrail::schema::Table;

use rules::CrateRule;
use rules::ModuleRule;

/// Modules from the bottom up: each may use only modules above it in this list.
const MODULES: &[ModuleRule] = &[
    // Nothing at all in a release build.
    module("failpoint", &[]),
    module("schema", &[]),
    module("event", &[]),
    module("iam", &[]),
    module("policy", &["event", "iam"]),
    module("integrity", &["event"]),
    // The sample estate states its own answers, so it must not learn them from the readers.
    module("sample", &[]),
    module("source", &[]),
    module("decode", &["schema", "event", "iam"]),
    // A store in a bucket is read and written by the requests of `source`, so that only one module knows AWS.
    module("store", &["failpoint", "schema", "source"]),
    module(
        "ingest",
        &[
            "failpoint",
            "schema",
            "iam",
            "policy",
            "integrity",
            "source",
            "decode",
            "store",
        ],
    ),
    // `source` and `decode` for `read_cloudtrail`, which reads raw files.
    module("query", &["schema", "iam", "source", "decode", "store"]),
    module("analysis", &["iam", "policy", "integrity", "query"]),
    module(
        "report",
        &["schema", "event", "iam", "policy", "integrity", "query", "analysis"],
    ),
    module(
        "cli",
        &[
            "failpoint",
            "schema",
            "event",
            "iam",
            "policy",
            "integrity",
            "sample",
            "source",
            "decode",
            "store",
            "ingest",
            "query",
            "analysis",
            "report",
        ],
    ),
];

/// Every dependency, with the modules that may name it.
const CRATES: &[CrateRule] = &[
    // Owned by one module, which hides it from the others.
    owned("deltalake", &["store"], "only the store knows Delta"),
    owned("object_store", &["store"], "only the store knows where bytes lie"),
    owned("datafusion", &["query"], "only `query` runs SQL"),
    owned("datafusion_functions_json", &["query"], "only `query` runs SQL"),
    owned("simd_json", &["decode"], "only `decode` parses records"),
    owned("libdeflater", &["decode"], "inflating is capped"),
    owned("memchr", &["decode"], "only `decode` scans records"),
    owned("siphasher", &["decode"], "only `decode` numbers events"),
    owned("rayon", &["ingest"], "`ingest` is the bridge to the CPU pool"),
    owned(
        "aws_lc_rs",
        &["integrity", "sample", "report"],
        "signatures of digests, and those of the made-up ones; hashes in identifiers",
    ),
    owned("ssh_key", &["integrity"], "signatures by people's own keys"),
    owned(
        "md5",
        &["integrity", "source"],
        "fingerprints of CloudTrail's public keys, and checksums of inventory lists",
    ),
    owned("similar", &["report"], "only `report` shows differences"),
    owned("unicode_width", &["report"], "only `report` aligns text"),
    owned("clap", &["cli"], "only `cli` knows arguments"),
    owned("clap_complete", &["cli"], "only `cli` knows arguments"),
    owned("clap_mangen", &["cli"], "only `cli` knows arguments"),
    owned("anstream", &["cli"], "only `cli` knows the terminal"),
    owned("anstyle", &["cli"], "only `cli` knows the terminal"),
    owned("indicatif", &["cli"], "only `cli` knows the terminal"),
    owned("terminal_size", &["cli"], "only `cli` knows the terminal"),
    owned("rustyline", &["cli"], "only `cli` knows the terminal"),
    owned("etcetera", &["cli"], "only `cli` knows the user's folders"),
    owned(
        "toml",
        &["policy", "report"],
        "allow-lists and maps of controls are written by hand",
    ),
    owned("minijinja", &["report"], "pages, whose values must be escaped"),
    owned("rust_xlsxwriter", &["report"], "workbooks, whose text must stay text"),
    owned("walkdir", &["source"], "only `source` looks for objects"),
    owned("aws_config", &["source"], "only `source` knows AWS"),
    owned("aws_sdk_s3", &["source"], "only `source` knows AWS"),
    owned("aws_sdk_sts", &["source"], "only `source` knows AWS"),
    owned("aws_types", &["source"], "only `source` knows AWS"),
    owned("rustix", &["cli"], "only `cli` looks at the machine"),
    owned("tracing_subscriber", &["cli"], "only `cli` writes what is done"),
    owned(
        "tracing",
        &["source", "store", "ingest", "cli"],
        "modules that wait for others say what they do; `cli` listens",
    ),
    owned("zstd", &["store"], "only `store` writes pages of its own"),
    // Owned by several, each for its own reason.
    owned(
        "csv",
        &["policy", "source", "report"],
        "credential reports; inventories; and results, whose cells must be made safe on the way out",
    ),
    owned(
        "parquet",
        &["source", "store", "report"],
        "inventories; the data files; and results as one file",
    ),
    owned(
        "flate2",
        &["decode", "iam", "integrity", "sample", "source"],
        "each reader's inflating is capped; the sample only deflates",
    ),
    owned(
        "sha2",
        &["decode", "ingest", "integrity", "query", "report", "sample"],
        "hashes of objects, of IAM snapshots, of question texts, in digests, and fingerprints of findings",
    ),
    owned(
        "tempfile",
        &["cli"],
        "the demo's store, and output files that appear when complete",
    ),
    owned(
        "tokio",
        &["source", "store", "ingest", "query", "cli"],
        "async only where bytes are far away, and above",
    ),
    owned(
        "futures",
        &["source", "store", "ingest", "query", "analysis", "report", "cli"],
        "async only where bytes are far away, and above; `report` gives SQL the rows of the diff",
    ),
    owned(
        "async_trait",
        &["store", "query"],
        "traits of `object_store` and of `datafusion`",
    ),
    owned(
        "bytes",
        &["source", "store"],
        "readers of `parquet`; traits of `object_store`",
    ),
    owned("url", &["source", "store"], "URIs of objects and of the store"),
    owned(
        "uuid",
        &["store", "report", "cli"],
        "names of files and batches; identifiers in documents; run ids, which are no business of `ingest`",
    ),
    owned(
        "hashbrown",
        &["decode", "store", "ingest", "policy"],
        "interning of values; the set of known objects; sums by numbers of texts; calls that are alike",
    ),
    owned(
        "chrono",
        &["store", "query"],
        "times in the statistics and in SQL functions",
    ),
    owned(
        "jiff",
        &[
            "event",
            "integrity",
            "sample",
            "source",
            "ingest",
            "query",
            "analysis",
            "report",
            "cli",
        ],
        "times of records, keys, parameters, options, documents and reasons",
    ),
    owned(
        "serde",
        &["iam", "integrity", "policy", "report", "store"],
        "the log's commit information; JSON that keeps every member; allow-lists; pages",
    ),
    owned(
        "serde_json",
        &[
            "iam",
            "integrity",
            "sample",
            "source",
            "decode",
            "ingest",
            "store",
            "report",
            "cli",
        ],
        "JSON that is written, or small: strings and parameters of records, entries of the log, policies, notifications, \
         findings, accounts of runs",
    ),
    owned(
        "arrow",
        &[
            "schema", "decode", "store", "ingest", "query", "analysis", "report", "cli",
        ],
        "rows, above the pure modules",
    ),
    owned(
        "thiserror",
        &[
            "iam",
            "policy",
            "integrity",
            "sample",
            "source",
            "decode",
            "store",
            "ingest",
            "query",
            "analysis",
            "report",
            "cli",
        ],
        "one error type per module",
    ),
];

const MAX_LINES: usize = 400;

/// Longer files, with the most lines that they may have and why they are one piece.
const LONG_FILES: &[(&str, usize, &str)] = &[("schema/events.rs", 440, "a list of columns")];

const fn module(name: &'static str, may_use: &'static [&'static str]) -> ModuleRule {
    ModuleRule { name, may_use }
}

const fn owned(name: &'static str, owners: &'static [&'static str], reason: &'static str) -> CrateRule {
    CrateRule { name, owners, reason }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `src`, by its path relative to it.
fn sources() -> BTreeMap<String, String> {
    let folder = root().join("src");
    let mut sources = BTreeMap::new();
    collect(&folder, &folder, &mut sources);
    assert!(sources.contains_key("lib.rs"));
    sources
}

fn collect(folder: &Path, root: &Path, sources: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            sources.insert(relative, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Names of `[dependencies]`, as they are written in a path.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, section) = manifest.split_once("\n[dependencies]\n").unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    names
        .filter(|name| !name.starts_with(['#', ' ']))
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[test]
fn modules_point_one_way_and_crates_have_owners() {
    let sources = sources();
    let code = sources
        .iter()
        .filter(|(path, _)| !matches!(path.as_str(), "lib.rs" | "main.rs"));
    let violations: Vec<_> = code
        .flat_map(|(path, source)| rules::check(path, source, MODULES, CRATES))
        .collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn every_module_stands_in_the_list_below_what_it_uses() {
    let sources = sources();
    let found: BTreeSet<&str> = sources.keys().map(|path| rules::top_module(path)).collect();
    let listed: BTreeSet<&str> = MODULES.iter().map(|rule| rule.name).chain(["lib", "main"]).collect();
    assert_eq!(found, listed);
    for (position, rule) in MODULES.iter().enumerate() {
        for used in rule.may_use {
            let is_below = MODULES[..position].iter().any(|lower| lower.name == *used);
            assert!(
                is_below,
                "`{}` may use `{used}`, which does not stand before it",
                rule.name
            );
        }
    }
}

#[test]
fn every_dependency_has_owners_and_every_owner_needs_it() {
    let listed: BTreeSet<String> = CRATES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(listed, dependencies());
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for (path, source) in sources().iter().filter(|(path, _)| !rules::is_test_file(path)) {
        let module = rules::top_module(path).to_owned();
        used.extend(
            rules::crates_of(path, source)
                .into_iter()
                .map(|name| (name, module.clone())),
        );
    }
    let mut idle = Vec::new();
    for rule in CRATES {
        let owners = rule
            .owners
            .iter()
            .map(|owner| (rule.name.to_owned(), (*owner).to_owned()));
        idle.extend(owners.filter(|pair| !used.contains(pair)));
    }
    assert!(idle.is_empty(), "crates and owners that do not use them: {idle:?}");
}

#[test]
fn main_only_starts_the_command_line() {
    let sources = sources();
    let main = &sources["main.rs"];
    assert!(main.lines().count() <= 15, "{main}");
    let names: BTreeSet<String> = rules::crates_of("main.rs", main).into_iter().collect();
    assert_eq!(names, ["cli", "std", "trimtrail"].map(str::to_owned).into());
}

#[test]
fn files_are_short_without_their_tests() {
    let mut long = Vec::new();
    for (path, source) in sources().iter().filter(|(path, _)| !rules::is_test_file(path)) {
        let lines = text::split_tests(source).0.lines().count();
        let exception = LONG_FILES.iter().find(|(exception, ..)| exception == path);
        match exception {
            Some((_, most, reason)) if lines > *most => {
                long.push(format!("{path}: {lines} lines, {most} for {reason}"))
            }
            Some(_) if lines <= MAX_LINES => long.push(format!("{path}: no exception needed")),
            None if lines > MAX_LINES => long.push(format!("{path}: {lines} lines")),
            _ => {}
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_query_file_is_embedded() {
    let queries = root().join("queries");
    let sources = sources();
    for folder in [queries.clone(), queries.join("views"), queries.join("evidence")] {
        let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
        assert!(!files.is_empty(), "{}", folder.display());
        for path in files {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            let embedding = format!("include_str!(\"../../{name}\")");
            let is_embedded = sources.values().any(|source| source.contains(&embedding));
            assert!(is_embedded, "{name} is not embedded, or not with {embedding}");
        }
    }
}

#[test]
fn every_column_says_what_it_means() {
    for table in Table::ALL {
        let schema = table.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let documented: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
        assert_eq!(names, documented, "{}", table.name());
        for column in table.columns() {
            assert!(column.meaning.len() > 3, "{}.{}", table.name(), column.name);
        }
    }
}

#[test]
fn reference_of_the_columns_is_fresh() {
    const START: &str = "`cargo test` writes it anew -->\n\n";
    const END: &str = "\n<!-- end of the generated part -->\n";
    let path = root().join("docs/store.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page
        .split_once(START)
        .expect("docs/store.md has no start of the generated part");
    let wanted = format!("{before}{START}{}{END}", trimtrail::schema::reference());
    assert!(rest.ends_with(END), "docs/store.md goes on behind its generated part");
    if page != wanted {
        fs::write(&path, wanted).unwrap();
        panic!("docs/store.md was out of date and has been written anew; commit it");
    }
}
