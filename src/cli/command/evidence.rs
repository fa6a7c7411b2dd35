//! `evidence`: bundles for auditors.

mod export;
mod signature;
mod verify;

use crate::cli::args::EngineArgs;
use crate::cli::args::EvidenceArgs;
use crate::cli::args::EvidenceCommand;
use crate::cli::bundle::BundleFolder;
use crate::cli::bundle::Maker;
use crate::cli::bundle::Plan;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::iam::Facts;
use crate::report::evidence::BundleRecord;
use crate::report::evidence::Hashed;
use crate::report::evidence::SUMS_FILE;
use crate::report::evidence::StoreRecord;
use crate::schema;
use crate::store::Store;
use jiff::Timestamp;

/// Makes a bundle, or checks one.
///
/// # Errors
/// When the store or the bundle cannot be read, or the bundle not be written. That it is not as it was made is no error: the
/// status is [`ExitStatus::Gate`].
pub fn evidence(args: &EvidenceArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    match &args.command {
        EvidenceCommand::Export(args) => export::export(args, settings, output),
        EvidenceCommand::Verify(args) => verify::verify(args, settings, output),
    }
}

/// What came of making a bundle.
enum Made {
    Whole(Box<BundleRecord>, BundleFolder),
    /// The user stopped the program.
    Stopped(ExitStatus),
}

/// Makes a bundle from the store that the arguments name, at its newest version unless they name another.
fn make(plan: &Plan, args: &EngineArgs, settings: &Settings, mut folder: BundleFolder) -> Result<Made, CliError> {
    let runtime = Runtime::start(settings.threads)?;
    let facts = facts::named(&args.facts)?.unwrap_or_else(Facts::embedded);
    // Nothing in a bundle may depend on when it is made.
    let settings = Settings {
        now: Timestamp::from_microsecond(plan.window.until).unwrap_or(settings.now),
        ..settings.clone()
    };
    let opened = runtime.run(async {
        let store = Store::open(&args.location.location()?).await?;
        let version = match args.at_version {
            Some(version) => version,
            None => store.version().await?,
        };
        let record = store_record(&store, version).await?;
        let args = EngineArgs {
            at_version: Some(version),
            ..args.clone()
        };
        Ok((record, Engine::open(&args, &settings).await?))
    });
    let (store, engine) = opened?;
    // Whoever checks a bundle runs its questions, with their own rights.
    engine.session().refuse_raw_files();
    let stop = StopFlag::on_signal()?;
    let maker = Maker {
        plan,
        store,
        facts,
        engine: &engine,
        runtime: &runtime,
        stop: &stop,
        settings: &settings,
    };
    Ok(match maker.make(&mut folder)? {
        Some(record) => Made::Whole(Box::new(record), folder),
        None => Made::Stopped(stop.status().unwrap_or(ExitStatus::Terminated)),
    })
}

async fn store_record(store: &Store, version: u64) -> Result<StoreRecord, CliError> {
    let entry = store.log_entry(version).await?;
    let committed_at = store.committed_at_ms(version).await?;
    let committed_at = committed_at.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    Ok(StoreRecord {
        version,
        committed_at: committed_at.map(|time| time.to_string()),
        log_entry_sha256: entry.map(|bytes| sha256(&bytes)),
        schema_version: schema::SCHEMA_VERSION,
    })
}

fn sha256(bytes: &[u8]) -> String {
    let mut hash = Hashed::new(std::io::sink());
    // A sink takes everything.
    std::io::Write::write_all(&mut hash, bytes).ok();
    hash.finish().0
}

/// The hash that stands for the whole bundle.
fn seal(folder: &BundleFolder) -> &str {
    folder.files().get(SUMS_FILE).map_or("", String::as_str)
}
