//! What a run is to read: sources and lists of keys, and which days, accounts and regions of them.

use std::io;
use std::thread;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::oneshot;

use crate::cli::args::IngestArgs;
use crate::cli::error::CliError;
use crate::cli::settings::Settings;
use crate::cli::time::parse_time_option;
use crate::ingest;
use crate::ingest::Options;
use crate::schema::Table;
use crate::source::History;
use crate::source::Lister;
use crate::source::Request;
use crate::source::Selection;
use crate::source::Share;
use crate::store::Location;
use crate::store::Store;
use crate::store::StoreError;

const NO_TEXT: &str =
    "it is no text in UTF-8; if it is compressed, write it out with `gunzip -c` and read `--keys-from -`";

/// Days, accounts and regions as chosen.
pub(super) fn selection(args: &IngestArgs, settings: &Settings) -> Result<Selection, CliError> {
    let time = |option: &str, text: &Option<String>| {
        text.as_deref()
            .map(|text| parse_time_option(option, text, settings.now))
            .transpose()
    };
    let (first_day, last_day) = days(time("--from", &args.from)?, time("--to", &args.to)?)?;
    Ok(Selection {
        first_day,
        last_day,
        accounts: args.account.clone(),
        regions: args.region.clone(),
    })
}

/// First and last day of a span of time.
pub(in crate::cli::command) fn days(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<(Option<Date>, Option<Date>), CliError> {
    let day = |time: Timestamp| -> Date { time.to_zoned(TimeZone::UTC).date() };
    // The end is exclusive, so midnight belongs to the day before it.
    let last_moment = |time: Timestamp| time.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(time);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(CliError::Usage {
            message: format!("`--from` {from} does not lie before `--to` {to}"),
            hint: Some("exchange them; `--to` is exclusive".to_owned()),
        });
    }
    Ok((from.map(day), to.map(last_moment).map(day)))
}

/// Looks at the sources, with what the store knows of them; an absent store knows nothing, and is not made.
pub(super) async fn open_lister(args: &IngestArgs, options: &Options, location: &Location) -> Result<Lister, CliError> {
    let request = Request {
        sources: args.sources.clone(),
        keys: match args.s3.keys_from.as_deref() {
            Some(name) => Some(read_keys(name).await?),
            None => None,
        },
        inventory: args.s3.inventory.clone(),
        takes_any_key: false,
        selection: options.selection.clone(),
        tells_unmet: true,
        share: Share::new({
            let shard = options.shard;
            move |uri| shard.includes(uri)
        }),
        own_keys: location.own_keys(&args.s3.connection.options()),
        s3: args.s3.connection.options(),
        look_back_days: args.s3.look_back,
    };
    let history = match Store::open(location).await {
        Ok(store) => ingest::history(&store, &store.snapshot(Table::Objects).await?, &options.run_limits())?,
        Err(StoreError::NotAStore { .. }) => History::default(),
        Err(error) => return Err(error.into()),
    };
    Ok(Lister::open(&request, &history).await?)
}

/// Name and text of a list of keys. Whoever writes it may take long, so a thread of its own reads it: one that the program does
/// not wait for when it is to stop.
pub(in crate::cli::command) async fn read_keys(name: &str) -> Result<(String, String), CliError> {
    let (sender, text) = oneshot::channel();
    let place = name.to_owned();
    let reader = thread::Builder::new().name("keys".to_owned());
    let read = move || drop(sender.send(keys_in(&place)));
    reader.spawn(read).map_err(CliError::Start)?;
    let text = text.await.map_err(|_| CliError::Stdin(io::Error::other(NO_TEXT)))?;
    Ok((name.to_owned(), text?))
}

fn keys_in(name: &str) -> Result<String, CliError> {
    if name == "-" {
        return io::read_to_string(io::stdin()).map_err(CliError::Stdin);
    }
    let failed = |cause| CliError::Read {
        path: name.into(),
        cause,
    };
    String::from_utf8(std::fs::read(name).map_err(failed)?).map_err(|_| failed(io::Error::other(NO_TEXT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::ingest::tests::args;
    use crate::cli::settings::tests::headless;

    #[test]
    fn window_covers_whole_days_and_its_end_is_exclusive() {
        let selection = |line: &str| selection(&args(line), &headless()).unwrap();
        let days = selection("logs --from 2026-09-01T13:00:00Z --to 2026-09-03");
        assert_eq!(days.first_day, Some(jiff::civil::date(2026, 9, 1)));
        assert_eq!(days.last_day, Some(jiff::civil::date(2026, 9, 2)));
        assert_eq!(
            selection("logs --from 14d").first_day,
            Some(jiff::civil::date(2026, 9, 1))
        );
        let narrowed = selection("logs --account 111122223333 --region eu-west-1,eu-north-1 --region eu-central-1");
        assert_eq!((narrowed.accounts.len(), narrowed.regions.len()), (1, 3));
    }
}
