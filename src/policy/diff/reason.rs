//! Why nothing can be said about a permission, or why it is not granted.

mod words;

use std::fmt;

use crate::event::format_canonical;
use crate::policy::account_log::Stream;
use words::because;
use words::counted_days;
use words::dependent;
use words::first;
use words::granted;
use words::lacking;
use words::last;
use words::may_be_data_event;
use words::names_regions;
use words::no_data_events;
use words::not_ingested;
use words::not_selected;

/// Why it is unknown whether a permission is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The account has no snapshot.
    NoSnapshot,
    /// The snapshot does not show all that the principal may do; the first gap.
    SnapshotGaps(String),
    /// The logs hold nothing of the account.
    AccountNotCovered,
    /// All that the logs hold of the account was passed on by EventBridge or found by LookupEvents.
    OnlyExcerpts,
    /// Trails delivered logs of the account, and copies of their events had been read before.
    CopiesOfExcerpts,
    /// The facts do not know the action.
    UnknownAction,
    /// No call that needs it is recorded; why.
    NeverLogged(&'static str),
    /// No public operation needs it.
    NoOperation,
    /// Calls need it besides their own action, and leave no event of it; why, if known.
    DependentOnly(&'static str),
    /// Only some calls of other operations need it, and none proves it.
    ConditionalOnly,
    /// An operation that needs it is newer than the facts of the program, which do not say whether its calls are recorded.
    RecordingUnknown,
    /// A service may use it with the role and leave no event of that; how.
    UsedByService(&'static str),
    /// No call needs it; why.
    Permissionless(&'static str),
    /// The window is too short.
    WindowTooShort {
        /// Days that it has.
        days: i64,
        /// Days that it must have.
        needed: i64,
    },
    /// Events of the begin of the window have expired; the first moment of which they have not.
    EventsExpired(i64),
    /// The grant came into force too late for a window of its own.
    GrantedRecently {
        /// Whole days between that and the end of the window; negative if it came after it.
        days: i64,
        /// Days that it takes.
        needed: i64,
    },
    /// The logs show that the policy was changed after the snapshot was taken.
    ChangedAfterSnapshot,
    /// The logs show a later principal of the same name.
    ReplacedAfterSnapshot,
    /// The snapshot was taken long after the end of the account's logs; days.
    SnapshotAfterLogs(i64),
    /// Conditions on the date let the statement be used too briefly.
    DateCondition {
        /// Whole days of the window on which it could be used.
        days: i64,
        /// Days that it takes.
        needed: i64,
    },
    /// The statement has a condition that cannot be read; its operator.
    ConditionOperator(String),
    /// The principal was made inside the window.
    YoungerThanWindow,
    /// The snapshot does not say when the principal was made.
    AgeUnknown,
    /// Nothing is granted of which a use would be seen.
    NothingGranted,
    /// IAM says that the principal was active inside the window or after it, and the logs show no call.
    UsedBeyondTheLogs,
    /// The logs do not cover enough of the window: hours lost and hours in all.
    CoverageTooLow {
        /// Hours that are lost.
        lost_hours: i64,
        /// Hours of the window.
        hours: i64,
    },
    /// The logs are of one region only, and the trail may be, too; the region.
    OneRegion(String),
    /// Regions may have been left out when the logs were read; those that IAM names, or none if the runs were told so.
    RegionsNotIngested(Vec<String>),
    /// The statement names regions of which the logs hold nothing.
    NamedRegions(Vec<String>),
    /// The logs would not show that it was granted late, for another reason.
    GrantsUnseen(Box<Reason>),
    /// The logs have nothing from a region that records calls of other regions, too; the region.
    GlobalServicesNotRecorded(&'static str),
    /// Only data events show it, and none of the kind is recorded.
    DataEventsNotRecorded {
        /// Resource types of the data events.
        resource_types: Vec<&'static str>,
        /// Regions without them; empty for all.
        regions: Vec<String>,
        /// Whether events that only read are missing.
        is_read: bool,
    },
    /// The event selectors do not ask for such events, or not for those of all resources.
    NotSelected {
        /// Resource types of the data events; none for management events.
        resource_types: Vec<&'static str>,
        /// Regions without them.
        regions: Vec<String>,
        /// Whether events that only read are missing.
        is_read: bool,
    },
    /// A trail may exclude the event source, and none of its events is there.
    SourceNotRecorded(&'static str),
    /// Management events of the kind are not recorded.
    ManagementEventsNotRecorded {
        /// Whether events that only read are missing.
        is_read: bool,
    },
    /// Events of the kind were first seen too late for a window of their own.
    RecordedRecently {
        /// Which events.
        stream: Stream,
        /// Whole days between the first and the end of the window.
        days: i64,
        /// Days that it takes.
        needed: i64,
    },
    /// Events of the kind were last seen too long before the end of the window.
    RecordingEnded {
        /// Which events.
        stream: Stream,
        /// Whole days between the last and the end of the window.
        days: i64,
    },
    /// The logs of a region lack days that those of others have.
    RegionCoverage {
        /// The region.
        region: String,
        /// Days that are lacking.
        days: i64,
    },
    /// It may be shown by data events only, and none of these is recorded; their resource types.
    MayBeDataEvent(Vec<&'static str>),
    /// A call of the service maps to no action; the call.
    UnmappedCall(String),
    /// Calls succeeded that may have needed it.
    UncertainUse(u64),
    /// Calls that need it failed, but not for lack of permission.
    FailedCalls(u64),
    /// It was used, another statement grants it too, and no resource of the uses is one that this one names.
    ResourcesUnclear,
}

impl Reason {
    /// Short name, for counting and filtering.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoSnapshot => "no-snapshot",
            Self::SnapshotGaps(_) => "snapshot-gaps",
            Self::AccountNotCovered => "account-not-covered",
            Self::OnlyExcerpts => "only-excerpts",
            Self::CopiesOfExcerpts => "copies-of-excerpts",
            Self::UnknownAction => "unknown-action",
            Self::NeverLogged(_) => "never-logged",
            Self::NoOperation => "no-operation",
            Self::DependentOnly(_) => "dependent-only",
            Self::ConditionalOnly => "conditional-only",
            Self::RecordingUnknown => "recording-unknown",
            Self::UsedByService(_) => "used-by-service",
            Self::Permissionless(_) => "permissionless",
            Self::WindowTooShort { .. } => "window-too-short",
            Self::EventsExpired(_) => "events-expired",
            Self::GrantedRecently { .. } => "granted-recently",
            Self::ChangedAfterSnapshot => "changed-after-snapshot",
            Self::ReplacedAfterSnapshot => "replaced-after-snapshot",
            Self::SnapshotAfterLogs(_) => "snapshot-after-logs",
            Self::DateCondition { .. } => "date-condition",
            Self::ConditionOperator(_) => "condition-operator",
            Self::YoungerThanWindow => "younger-than-window",
            Self::AgeUnknown => "age-unknown",
            Self::NothingGranted => "nothing-granted",
            Self::UsedBeyondTheLogs => "used-beyond-the-logs",
            Self::CoverageTooLow { .. } => "coverage-too-low",
            Self::OneRegion(_) => "one-region",
            Self::RegionsNotIngested(_) | Self::NamedRegions(_) => "regions-not-ingested",
            Self::GrantsUnseen(why) => why.name(),
            Self::GlobalServicesNotRecorded(_) => "global-services-not-recorded",
            Self::DataEventsNotRecorded { .. } => "data-events-not-recorded",
            Self::NotSelected { .. } => "not-selected",
            Self::SourceNotRecorded(_) => "source-not-recorded",
            Self::ManagementEventsNotRecorded { .. } => "management-events-not-recorded",
            Self::RecordedRecently { .. } => "recorded-recently",
            Self::RecordingEnded { .. } => "recording-ended",
            Self::RegionCoverage { .. } => "region-coverage",
            Self::MayBeDataEvent(_) => "may-be-data-event",
            Self::UnmappedCall(_) => "unmapped-call",
            Self::UncertainUse(_) => "uncertain-use",
            Self::FailedCalls(_) => "failed-calls",
            Self::ResourcesUnclear => "resources-unclear",
        }
    }

    /// The whole text of a reason that has no details; the name of one that has.
    fn sentence(&self) -> &'static str {
        match self {
            Self::NoSnapshot => "there is no IAM snapshot of the account",
            Self::AccountNotCovered => "the logs hold no events of the account in the window",
            Self::OnlyExcerpts => {
                "all events of the account are from EventBridge or LookupEvents, which leave out events: read the logs of a trail"
            }
            Self::CopiesOfExcerpts => {
                "its events came first from EventBridge or LookupEvents: tell what the trail records (`--event-selectors`)"
            }
            Self::UnknownAction => "the facts know no such action",
            Self::NoOperation => "no public API operation needs it",
            Self::ConditionalOnly => "only some calls of other operations need it, and none proves it",
            Self::RecordingUnknown => {
                "imported facts name an operation that needs it, and this program does not know whether its calls leave management events"
            }
            Self::YoungerThanWindow => "the principal was made inside the window",
            Self::ChangedAfterSnapshot => "its policy was changed after the IAM snapshot was taken: import a new one",
            Self::ReplacedAfterSnapshot => {
                "the logs show a later principal of the same name, which the IAM snapshot does not have: import a new one"
            }
            Self::AgeUnknown => "the IAM snapshot does not say when the principal was made",
            Self::NothingGranted => "nothing is granted, so that no use could be seen",
            Self::UsedBeyondTheLogs => {
                "IAM says that it was active in the window or after it, but the logs show no call"
            }
            Self::UsedByService(how) => how,
            Self::ResourcesUnclear => "it was used, and the logs do not tell for certain through which statement",
            detailed => detailed.name(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SnapshotGaps(gap) => write!(formatter, "the IAM snapshot has gaps: {gap}"),
            Self::NeverLogged(why) => write!(formatter, "CloudTrail never records it{}", because(why)),
            Self::DependentOnly(why) => formatter.write_str(&dependent(&because(why))),
            Self::Permissionless(why) => write!(formatter, "no call needs this permission{}", because(why)),
            Self::WindowTooShort { days, needed } => {
                write!(formatter, "the window has {}, {needed} are needed", counted_days(*days))
            }
            Self::EventsExpired(before) => write!(
                formatter,
                "events from before {} have expired: only a window that begins then can tell",
                format_canonical(*before).unwrap_or_default()
            ),
            Self::GrantedRecently { days, needed } => formatter.write_str(&granted(*days, *needed)),
            Self::SnapshotAfterLogs(days) => {
                let days = counted_days(*days);
                write!(
                    formatter,
                    "the IAM snapshot is {days} younger than the account's logs: nothing shows that time"
                )
            }
            Self::DateCondition { days, needed } => {
                let days = counted_days(*days);
                write!(
                    formatter,
                    "conditions on the date allow it on {days} of the window, {needed} are needed"
                )
            }
            Self::ConditionOperator(operator) => {
                write!(
                    formatter,
                    "condition operator `{operator}` is unknown: it may hold always or never"
                )
            }
            of_logs => of_logs.write_of_logs(formatter),
        }
    }
}

impl Reason {
    /// What the logs lack, or leave open.
    fn write_of_logs(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegionsNotIngested(regions) => formatter.write_str(&not_ingested(regions)),
            Self::NamedRegions(regions) => formatter.write_str(&names_regions(regions)),
            Self::CoverageTooLow { lost_hours, hours } => {
                write!(formatter, "of {hours} hours, the account's logs lack {lost_hours}")
            }
            Self::OneRegion(region) => write!(
                formatter,
                "the logs of the account are all from {region}: its trail may not record other regions"
            ),
            Self::GrantsUnseen(why) => write!(formatter, "calls to IAM would not show when it was granted: {why}"),
            Self::GlobalServicesNotRecorded(region) => write!(
                formatter,
                "its calls, or some of them, are recorded in {region}, and the account's logs hold nothing from there"
            ),
            Self::DataEventsNotRecorded {
                resource_types,
                regions,
                is_read,
            } => formatter.write_str(&no_data_events(resource_types, regions, *is_read)),
            Self::NotSelected {
                resource_types,
                regions,
                is_read,
            } => formatter.write_str(&not_selected(resource_types, regions, *is_read)),
            Self::SourceNotRecorded(source) => write!(formatter, "no events of {source} are recorded in the account"),
            Self::ManagementEventsNotRecorded { is_read } => {
                let kind = kind(*is_read);
                write!(formatter, "no {kind} management events are recorded in the account")
            }
            Self::RecordedRecently { stream, days, needed } => formatter.write_str(&first(stream, *days, *needed)),
            Self::RecordingEnded { stream, days } => formatter.write_str(&last(stream, *days)),
            Self::RegionCoverage { region, days } => formatter.write_str(&lacking(region, *days)),
            Self::MayBeDataEvent(types) => formatter.write_str(&may_be_data_event(types)),
            Self::UnmappedCall(call) => write!(formatter, "the principal called `{call}`, whose actions are not known"),
            Self::UncertainUse(calls) => write!(formatter, "successful calls that may have needed it: {calls}"),
            Self::FailedCalls(calls) => {
                let which = "calls that needed it and failed, but not for lack of permission";
                write!(formatter, "{which}: {calls}")
            }
            plain => formatter.write_str(plain.sentence()),
        }
    }
}

/// What kind of events.
pub(super) fn kind(is_read: bool) -> &'static str {
    if is_read { "read" } else { "write" }
}
