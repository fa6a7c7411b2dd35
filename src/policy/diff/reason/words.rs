//! Sentences of reasons that have details.

use super::kind;
use crate::policy::account_log::Stream;

pub(super) fn not_selected(resource_types: &[&str], regions: &[String], is_read: bool) -> String {
    let (kind, place) = (kind(is_read), regions.join(", "));
    match resource_types.is_empty() {
        true => format!("the event selectors leave out {kind} management events in {place}"),
        false => {
            let types = resource_types.join(" or ");
            format!("the event selectors leave out {kind} data events of {types}, or some resources, in {place}")
        }
    }
}

pub(super) fn first(stream: &Stream, days: i64, needed: i64) -> String {
    let (events, days) = (events(stream), counted_days(days));
    format!("the first of the {events} is from {days} before the end of the window, {needed} are needed")
}

pub(super) fn last(stream: &Stream, days: i64) -> String {
    let (events, days) = (events(stream), counted_days(days));
    format!("the last of the {events} is from {days} before the end of the window")
}

fn events(stream: &Stream) -> String {
    match stream {
        Stream::Data {
            region,
            resource_type,
            is_read,
        } => format!("{} data events of {resource_type} in {region}", kind(*is_read)),
        Stream::Management { is_read } => format!("{} management events", kind(*is_read)),
        Stream::Source(source) => format!("events of {source}"),
    }
}

pub(super) fn lacking(region: &str, days: i64) -> String {
    let days = counted_days(days);
    format!("the logs of {region} hold nothing of {days} of the window")
}

pub(super) fn may_be_data_event(types: &[&str]) -> String {
    let types = types.join(" or ");
    format!("a use may leave a data event of {types} alone, and these are not recorded")
}

pub(super) fn no_data_events(types: &[&str], regions: &[String], is_read: bool) -> String {
    let (kind, types, place) = (kind(is_read), types.join(" or "), place(regions));
    format!("no {kind} data events of {types} are recorded in {place}")
}

pub(super) fn dependent(why: &str) -> String {
    format!("it is only needed beside other actions and leaves no event{why}")
}

pub(super) fn granted(days: i64, needed: i64) -> String {
    match days {
        ..0 => "granted after the end of the window".to_owned(),
        days => format!(
            "granted {} before the end of the window, {needed} are needed",
            counted_days(days)
        ),
    }
}

pub(super) fn not_ingested(regions: &[String]) -> String {
    match regions.is_empty() {
        true => "regions were left out when the account's logs were read (`ingest --region`)".to_owned(),
        false => {
            let regions = regions.join(", ");
            format!(
                "IAM says that principals of the account were active in {regions}, and the logs hold nothing from there"
            )
        }
    }
}

pub(super) fn names_regions(regions: &[String]) -> String {
    let regions = regions.join(", ");
    format!("the statement names {regions}, and the account's logs hold nothing from there")
}

pub(super) fn counted_days(days: i64) -> String {
    match days {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn place(regions: &[String]) -> String {
    match regions.is_empty() {
        true => "the account".to_owned(),
        false => regions.join(", "),
    }
}

pub(super) fn because(why: &str) -> String {
    match why.is_empty() {
        true => String::new(),
        false => format!(": {why}"),
    }
}
