-- @id        unused-access
-- @title     Unused access
-- @question  Which permissions does each policy grant that its users and roles did not use, service by service, and of which is that unknown?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User or role.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    policy utf8  ARN of the policy; of an inline policy the principal's ARN, `#` and its name.
-- @column    through_group utf8  ARN of the group through which the policy counts.
-- @column    statement int64  Position of the statement in the policy, from 1.
-- @column    sid utf8  Its `Sid`.
-- @column    service utf8  Service prefix.
-- @column    verdict utf8  `unused`: all actions of the service are; `partly-unused`: some are; `unknown`: none is, but for some nothing can be said.
-- @column    reason utf8  Why actions are unknown, separated by semicolons.
-- @column    granted int64  Actions of the service that the statement grants.
-- @column    used int64  Of these, used.
-- @column    denied int64  Tried, denied and never used.
-- @column    unknown int64  Nothing can be said about.
-- @column    unused int64  Unused.
-- @column    high_risk_unused int64  Unused ones that can do harm: escalate privileges, expose data or credentials.
-- @column    unused_actions utf8  The first twenty unused ones in alphabetical order, separated by commas.
-- @column    last_used timestamp  Last use of any action of the service.
-- @column    since timestamp  First moment of what the row is about: of the window, or the latest from which on all of its actions were granted and recorded.
-- @column    until timestamp  End of the window.
-- @column    coverage float64  Share of the hours of the window that the logs of the account cover.
-- @column    snapshot_time timestamp  When the IAM snapshot was taken.
-- @severity  medium
-- @identity  principal_arn, principal_id, policy
-- @finding   verdict = unused, partly-unused
-- @unknown   verdict = unknown
-- @control   soc2:CC6.3
-- @control   iso27001:A.5.18
-- @caveat    Roles that belong to AWS services are listed, but nobody else can edit their policies.
-- @caveat    What a trail records is inferred from what the logs hold: event selectors that name single buckets, tables or functions cannot be seen.
-- @caveat    The window, the coverage of the logs and the time of the snapshot stand in every row: outside of them nothing is proven.
with permissions as (
    select
        g.principal_arn,
        g.principal_id,
        g.policy,
        g.through_group,
        g.statement,
        g.sid,
        split_part(g.action, ':', 1) as service,
        g.action,
        g.verdict,
        g.reason,
        cardinality(g.harms) > 0 as is_high_risk,
        g.last_used,
        g.since,
        g.until,
        g.coverage,
        g.snapshot_time
    from granted_and_used($since, $until, $min_window_days, $min_coverage) g
    where g.policy is not null
),
services as (
    select
        p.principal_arn,
        p.principal_id,
        p.policy,
        p.through_group,
        p.statement,
        p.sid,
        p.service,
        array_to_string(array_sort(array_agg(distinct p.reason) filter (where p.reason is not null)), '; ') as reason,
        count(*) as granted,
        sum(case when p.verdict = 'used' then 1 else 0 end) as used,
        sum(case when p.verdict = 'denied-attempt' then 1 else 0 end) as denied,
        sum(case when p.verdict = 'unknown' then 1 else 0 end) as unknown,
        sum(case when p.verdict = 'unused' then 1 else 0 end) as unused,
        sum(case when p.verdict = 'unused' and p.is_high_risk then 1 else 0 end) as high_risk_unused,
        array_to_string(
            array_slice(array_sort(array_agg(p.action) filter (where p.verdict = 'unused')), 1, 20), ','
        ) as unused_actions,
        max(p.last_used) as last_used,
        max(p.since) as since,
        max(p.until) as until,
        max(p.coverage) as coverage,
        max(p.snapshot_time) as snapshot_time
    from permissions p
    group by p.principal_arn, p.principal_id, p.policy, p.through_group, p.statement, p.sid, p.service
)
select
    s.principal_arn,
    s.principal_id,
    s.policy,
    s.through_group,
    s.statement,
    s.sid,
    s.service,
    case
        when s.unused = s.granted then 'unused'
        when s.unused > 0 then 'partly-unused'
        else 'unknown'
    end as verdict,
    s.reason,
    s.granted,
    s.used,
    s.denied,
    s.unknown,
    s.unused,
    s.high_risk_unused,
    s.unused_actions,
    s.last_used,
    s.since,
    s.until,
    s.coverage,
    s.snapshot_time
from services s
where s.unused > 0
   or s.unknown > 0
order by principal_arn, principal_id, policy, through_group, statement, service
