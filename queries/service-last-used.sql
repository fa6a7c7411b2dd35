-- @id        service-last-used
-- @title     Services by their last use
-- @question  Which services may each user and role use, when did it last use them, and of which is that unknown?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User or role.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    account_id utf8  Account of the principal.
-- @column    service utf8  Service prefix.
-- @column    verdict utf8  `used`: some action is; `unused`: none is, and a use would have been seen; `denied-attempt`: only attempts that were denied, the rest unused; `unknown`: of some action nothing can be said; `not-granted`: nothing of it is granted.
-- @column    reason utf8  Why actions are unknown, separated by semicolons.
-- @column    last_used timestamp  Last use of any of its actions in the window.
-- @column    granted int64  Actions of the service that are granted.
-- @column    used int64  Of these, used.
-- @column    denied int64  Tried, denied and never used.
-- @column    unknown int64  Nothing can be said about.
-- @column    unused int64  Unused.
-- @column    used_not_granted int64  Used, and not granted by a policy of the principal.
-- @column    uses int64  Calls that succeeded; one call may need several actions.
-- @column    since timestamp  First moment of what the row is about: of the window, or the latest from which on all of its actions were granted and recorded.
-- @column    until timestamp  End of the window.
-- @column    coverage float64  Share of the hours of the window that the logs of the account cover.
-- @column    snapshot_time timestamp  When the IAM snapshot was taken.
-- @severity  info
-- @control   soc2:CC6.3
-- @control   iso27001:A.5.18
-- @caveat    IAM's own "last accessed" counts attempts and calls that no trail records; this counts what the logs prove.
-- @caveat    What a trail records is inferred from what the logs hold: event selectors that name single buckets, tables or functions cannot be seen.
-- @caveat    The window, the coverage of the logs and the time of the snapshot stand in every row: outside of them nothing is proven.
with actions as (
    select
        g.principal_arn,
        g.principal_id,
        g.account_id,
        g.action,
        case
            when g.policy is null then 4
            when g.verdict = 'used' then 0
            when g.verdict = 'unknown' then 1
            when g.verdict = 'denied-attempt' then 2
            else 3
        end as standing,
        case when g.verdict = 'unknown' then g.reason end as reason,
        g.uses,
        g.last_used,
        g.since,
        g.until,
        g.coverage,
        g.snapshot_time
    from granted_actions($since, $until, $min_window_days, $min_coverage) g
),
services as (
    select
        a.principal_arn,
        a.principal_id,
        a.account_id,
        split_part(a.action, ':', 1) as service,
        array_to_string(
            array_sort(array_agg(distinct a.reason) filter (where a.reason is not null and a.standing in (1, 4))), '; '
        ) as reason,
        max(a.last_used) as last_used,
        sum(case when a.standing < 4 then 1 else 0 end) as granted,
        sum(case when a.standing = 0 then 1 else 0 end) as used,
        sum(case when a.standing = 2 then 1 else 0 end) as denied,
        sum(case when a.standing = 1 then 1 else 0 end) as unknown,
        sum(case when a.standing = 3 then 1 else 0 end) as unused,
        sum(case when a.standing = 4 and a.uses > 0 then 1 else 0 end) as used_not_granted,
        sum(a.uses) as uses,
        max(a.since) as since,
        max(a.until) as until,
        max(a.coverage) as coverage,
        max(a.snapshot_time) as snapshot_time
    from actions a
    group by a.principal_arn, a.principal_id, a.account_id, split_part(a.action, ':', 1)
)
select
    s.principal_arn,
    s.principal_id,
    s.account_id,
    s.service,
    case
        when s.granted = 0 and s.reason is not null then 'unknown'
        when s.granted = 0 then 'not-granted'
        when s.used > 0 then 'used'
        when s.unknown > 0 then 'unknown'
        when s.denied > 0 then 'denied-attempt'
        else 'unused'
    end as verdict,
    s.reason,
    s.last_used,
    s.granted,
    s.used,
    s.denied,
    s.unknown,
    s.unused,
    s.used_not_granted,
    s.uses,
    s.since,
    s.until,
    s.coverage,
    s.snapshot_time
from services s
order by principal_arn, principal_id, service
