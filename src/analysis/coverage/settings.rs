//! What trails record, as far as the logs let one infer it: which kinds of events are there.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::policy::AccountLog;
use crate::policy::Recorded;
use crate::policy::Stream;

/// One kind of events of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailSetting {
    /// The account.
    pub account_id: String,
    /// `management` or `data`.
    pub category: &'static str,
    /// Type of the resources of data events.
    pub resource_type: Option<String>,
    /// Region that served them; `None` for management events, and for data events that are nowhere in the account.
    pub region: Option<String>,
    /// Whether events are there that only read.
    pub reads: bool,
    /// Whether others are there.
    pub writes: bool,
    /// First of these events.
    pub first_event: Option<i64>,
    /// Last of these events.
    pub last_event: Option<i64>,
}

/// Every kind of events that any account has, for every account: what one lacks its trail may not record, or nobody did.
pub fn trail_settings(logs: &BTreeMap<String, AccountLog>) -> Vec<TrailSetting> {
    let types: BTreeSet<&String> = logs
        .values()
        .flat_map(|log| log.data.keys().map(|(_, kind)| kind))
        .collect();
    let mut settings = Vec::new();
    for (account_id, log) in logs {
        let management = |stream: &Stream| matches!(stream, Stream::Management { .. });
        settings.push(setting(
            account_id,
            ("management", None, None),
            log.management,
            (log, &management),
        ));
        for resource_type in &types {
            let of_type = log.data.iter().filter(|((_, kind), _)| kind == *resource_type);
            let mut is_anywhere = false;
            for ((region, _), recorded) in of_type {
                is_anywhere = true;
                let data = |stream: &Stream| matches!(stream, Stream::Data { region: own, resource_type: kind, .. } if own == region && kind == *resource_type);
                let kind = ("data", Some((*resource_type).clone()), Some(region.clone()));
                settings.push(setting(account_id, kind, *recorded, (log, &data)));
            }
            if !is_anywhere {
                let kind = ("data", Some((*resource_type).clone()), None);
                settings.push(setting(account_id, kind, Recorded::default(), (log, &|_| false)));
            }
        }
    }
    settings
}

fn setting(
    account_id: &str,
    (category, resource_type, region): (&'static str, Option<String>, Option<String>),
    recorded: Recorded,
    (log, is_meant): (&AccountLog, &dyn Fn(&Stream) -> bool),
) -> TrailSetting {
    let extents = || {
        log.extents
            .iter()
            .filter(|(stream, _)| is_meant(stream))
            .map(|(_, extent)| extent)
    };
    TrailSetting {
        account_id: account_id.to_owned(),
        category,
        resource_type,
        region,
        reads: recorded.reads,
        writes: recorded.writes,
        first_event: extents().map(|extent| extent.first).min(),
        last_event: extents().map(|extent| extent.last).max(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_without_events_of_a_type_that_another_has_is_told() {
        let mut recording = AccountLog::default();
        let key = ("eu-west-1".to_owned(), "AWS::S3::Object".to_owned());
        recording.data.insert(
            key,
            Recorded {
                reads: true,
                writes: false,
            },
        );
        let logs = BTreeMap::from([
            ("111122223333".to_owned(), recording),
            ("777788889999".to_owned(), AccountLog::default()),
        ]);
        let told: Vec<(String, &str, Option<String>, bool)> = trail_settings(&logs)
            .into_iter()
            .map(|it| (it.account_id, it.category, it.region, it.reads))
            .collect();
        let wanted = [
            ("111122223333".to_owned(), "management", None, false),
            ("111122223333".to_owned(), "data", Some("eu-west-1".to_owned()), true),
            ("777788889999".to_owned(), "management", None, false),
            ("777788889999".to_owned(), "data", None, false),
        ];
        assert_eq!(told, wanted);
    }
}
