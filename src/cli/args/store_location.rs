//! Which store, as typed.

use clap::ArgMatches;
use clap::Args;
use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;

use crate::source::S3Options;
use crate::store::Location;
use crate::store::StoreError;

const HEADING: &str = "Store in a bucket";

/// Which store.
#[derive(Debug, Clone, Default, Args)]
pub struct StoreLocationArgs {
    /// Folder of the store, or `s3://bucket/prefix`
    #[arg(
        long,
        value_name = "PATH",
        env = "TRIMTRAIL_STORE",
        default_value = "./trimtrail-store"
    )]
    pub store: String,
    /// How its bucket is reached.
    #[command(flatten)]
    pub bucket: StoreBucketArgs,
}

/// How the bucket of a store is reached.
#[derive(Debug, Clone, Default, Args)]
pub struct StoreBucketArgs {
    /// Named profile for the store's bucket [default: as the AWS CLI chooses it]
    #[arg(long, value_name = "NAME", env = "TRIMTRAIL_STORE_PROFILE", help_heading = HEADING, hide_env = true)]
    pub store_profile: Option<String>,
    /// Region of the store's bucket [default: found out]
    #[arg(long, value_name = "REGION", env = "TRIMTRAIL_STORE_REGION", help_heading = HEADING, hide_env = true)]
    pub store_region: Option<String>,
    /// Role to assume first for the store's bucket
    #[arg(long, value_name = "ARN", env = "TRIMTRAIL_STORE_ROLE_ARN", help_heading = HEADING, hide_env = true)]
    pub store_role_arn: Option<String>,
    /// External id that this role's trust policy asks for
    #[arg(
        long,
        value_name = "ID",
        env = "TRIMTRAIL_STORE_EXTERNAL_ID",
        help_heading = HEADING,
        hide_env = true,
        requires = "store_role_arn"
    )]
    pub store_external_id: Option<String>,
    /// Endpoint of another S3-compatible service for the store's bucket
    #[arg(long, value_name = "URL", env = "TRIMTRAIL_STORE_ENDPOINT_URL", help_heading = HEADING, hide_env = true)]
    pub store_endpoint_url: Option<String>,
    /// Put the store's bucket into the path of URLs, as other services often want it
    #[arg(
        long,
        env = "TRIMTRAIL_STORE_PATH_STYLE",
        value_parser = BoolishValueParser::new(),
        help_heading = HEADING,
        hide_env = true
    )]
    pub store_path_style: bool,
}

impl StoreLocationArgs {
    /// A store that is named and nothing else.
    pub(in crate::cli) fn named(store: impl Into<String>) -> Self {
        Self {
            store: store.into(),
            ..Self::default()
        }
    }

    /// The place, as `store` takes it.
    pub(in crate::cli) fn location(&self) -> Result<Location, StoreError> {
        Ok(Location::parse(&self.store)?.with_s3(self.bucket.options()))
    }
}

/// Options that only a store in a bucket has, by the names that `clap` knows them by.
const BUCKET_OPTIONS: [&str; 6] = [
    "store_profile",
    "store_region",
    "store_role_arn",
    "store_external_id",
    "store_endpoint_url",
    "store_path_style",
];

/// The option for a store in a bucket that was typed beside a store in a folder, where it would be ignored. What the environment
/// says may be meant for other stores.
pub(in crate::cli) fn ignored_bucket_option(matches: &ArgMatches) -> Option<String> {
    if let Some((_, inner)) = matches.subcommand() {
        return ignored_bucket_option(inner);
    }
    let is_typed = |id: &&&str| {
        let is_known = matches.try_contains_id(id).is_ok();
        is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let store = matches.try_get_one::<String>("store").ok().flatten();
    let is_in_bucket = store.is_some_and(|store| ["s3://", "s3a://"].iter().any(|scheme| store.starts_with(scheme)));
    let typed = BUCKET_OPTIONS.iter().filter(|_| !is_in_bucket).find(is_typed)?;
    Some(format!("--{}", typed.replace('_', "-")))
}

impl StoreBucketArgs {
    /// How the store's bucket is reached, as `source` takes it.
    pub(in crate::cli) fn options(&self) -> S3Options {
        S3Options {
            role_arn: self.store_role_arn.clone(),
            external_id: self.store_external_id.clone(),
            endpoint_url: self.store_endpoint_url.clone(),
            path_style: self.store_path_style,
            request_payer: false,
            profile: self.store_profile.clone(),
            region: self.store_region.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::args;

    #[test]
    fn option_for_a_bucket_is_found_where_the_store_is_a_folder() {
        let ignored = |line: &str| {
            let words = std::iter::once("trimtrail").chain(line.split(' '));
            ignored_bucket_option(&args::command().try_get_matches_from(words).unwrap())
        };
        for (line, option) in [
            ("check --store ./x --store-role-arn arn:r", Some("--store-role-arn")),
            ("store info --store ./x --store-path-style", Some("--store-path-style")),
            (
                "evidence verify b --store-endpoint-url http://e",
                Some("--store-endpoint-url"),
            ),
            ("check --store s3://b/p --store-role-arn arn:r", None),
            ("check --store ./x", None),
            ("completions bash", None),
        ] {
            assert_eq!(ignored(line).as_deref(), option, "{line}");
        }
    }
}
