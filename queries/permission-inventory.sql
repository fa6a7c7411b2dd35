-- @id        permission-inventory
-- @title     Permission inventory
-- @question  Which actions of which services may be used in the estate, by how many users and roles, and by how many are they used?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @param     account utf8?  Only principals of this account.
-- @column    service utf8  Service prefix.
-- @column    action utf8  IAM action; a pattern of a policy where the facts know no action of that name.
-- @column    access_level utf8  List, Read, Write, Tagging or Permissions management.
-- @column    verdict utf8  `used`: by some principal; `unused`: by none that it is granted to, and a use would have been seen; `denied-attempt`: only attempts that were denied, the rest unused; `unknown`: of some principal nothing can be said; `not-granted`: used or tried without a grant.
-- @column    reason utf8  Why it is unknown for some principals: the first reason in alphabetical order.
-- @column    is_high_risk bool  Whether it can do harm: escalate privileges, expose data or credentials.
-- @column    granted int64  Principals that it is granted to.
-- @column    used int64  Of these, principals that used it.
-- @column    denied int64  That tried, were denied and never used it.
-- @column    unknown int64  Of which nothing can be said.
-- @column    unused int64  That did not use it.
-- @column    used_not_granted int64  Principals that used it without a grant.
-- @column    uses int64  Calls that succeeded.
-- @column    last_used timestamp  Last of them.
-- @column    users utf8  The first ten principals that used it, in alphabetical order, separated by commas.
-- @severity  info
-- @control   soc2:CC6.3
-- @control   iso27001:A.5.15
-- @caveat    A grant may be bound to resources or conditions; a `Deny` on some resources takes nothing away here.
-- @caveat    What a trail records is inferred from what the logs hold: event selectors that name single buckets, tables or functions cannot be seen.
with holders as (
    select
        g.action,
        g.principal_arn,
        case
            when g.policy is null then 4
            when g.verdict = 'used' then 0
            when g.verdict = 'unknown' then 1
            when g.verdict = 'denied-attempt' then 2
            else 3
        end as standing,
        case when g.verdict = 'unknown' then g.reason end as reason,
        g.access_level,
        cardinality(g.harms) > 0 as is_high_risk,
        g.uses,
        g.last_used
    from granted_actions($since, $until, $min_window_days, $min_coverage) g
    where $account is null
       or g.account_id = $account
),
actions as (
    select
        h.action,
        max(h.access_level) as access_level,
        min(case when h.standing in (1, 4) then h.reason end) as reason,
        bool_or(h.is_high_risk) as is_high_risk,
        sum(case when h.standing < 4 then 1 else 0 end) as granted,
        sum(case when h.standing = 0 then 1 else 0 end) as used,
        sum(case when h.standing = 2 then 1 else 0 end) as denied,
        sum(case when h.standing = 1 then 1 else 0 end) as unknown,
        sum(case when h.standing = 3 then 1 else 0 end) as unused,
        sum(case when h.standing = 4 and h.uses > 0 then 1 else 0 end) as used_not_granted,
        sum(h.uses) as uses,
        max(h.last_used) as last_used,
        array_to_string(
            array_slice(array_sort(array_agg(h.principal_arn) filter (where h.uses > 0)), 1, 10), ','
        ) as users
    from holders h
    group by h.action
)
select
    split_part(a.action, ':', 1) as service,
    a.action,
    a.access_level,
    case
        when a.granted = 0 and a.reason is not null then 'unknown'
        when a.granted = 0 then 'not-granted'
        when a.used > 0 then 'used'
        when a.unknown > 0 then 'unknown'
        when a.denied > 0 then 'denied-attempt'
        else 'unused'
    end as verdict,
    a.reason,
    a.is_high_risk,
    a.granted,
    a.used,
    a.denied,
    a.unknown,
    a.unused,
    a.used_not_granted,
    a.uses,
    a.last_used,
    a.users
from actions a
order by service, action
