-- @id        unused-roles
-- @title     Roles that nobody used
-- @question  Which roles made no call in the window, of which is that unknown, and what could they have done?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  The role.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    account_id utf8  Account of the role.
-- @column    verdict utf8  `unused`, or `unknown` when nothing can be said.
-- @column    reason utf8  Why it is unknown.
-- @column    is_service_linked bool  Whether the role belongs to an AWS service, which alone can edit it.
-- @column    created_at timestamp  When the role was made, as the snapshot says.
-- @column    last_used_at timestamp  When the role was last used, as the snapshot says: IAM keeps 400 days.
-- @column    granted int64  Actions that it may use.
-- @column    high_risk int64  Unused ones that can do harm: escalate privileges, expose data or credentials.
-- @column    since timestamp  First moment of the window.
-- @column    until timestamp  End of the window.
-- @column    coverage float64  Share of the hours of the window that the logs of the account cover.
-- @column    snapshot_time timestamp  When the IAM snapshot was taken.
-- @severity  medium
-- @identity  principal_arn, principal_id
-- @finding   verdict = unused
-- @unknown   verdict = unknown
-- @control   soc2:CC6.2
-- @control   iso27001:A.5.18
-- @caveat    A role that only makes calls which no trail records looks unused; `last_used_at` contradicts that where IAM knows better, and the verdict is `unknown` then.
-- @caveat    What a trail records is inferred from what the logs hold: event selectors that name single buckets, tables or functions cannot be seen.
-- @caveat    The window, the coverage of the logs and the time of the snapshot stand in every row: outside of them nothing is proven.
with summaries as (
    select
        s.principal_arn,
        s.principal_id,
        s.account_id,
        s.activity,
        s.activity_reason,
        s.granted,
        s.high_risk_removable,
        s.since,
        s.until,
        s.coverage,
        s.snapshot_time
    from principal_summary($since, $until, $min_window_days, $min_coverage) s
    where s.activity <> 'active'
      and s.principal_arn like '%:role/%'
),
known as (
    select
        p.principal_arn,
        p.unique_id,
        p.snapshot_time,
        max(p.created_at) as created_at,
        max(p.last_used_at) as last_used_at
    from iam_principals p
    where p.kind = 'role'
    group by p.principal_arn, p.unique_id, p.snapshot_time
)
select
    s.principal_arn,
    s.principal_id,
    s.account_id,
    case when s.activity = 'never-used' then 'unused' else 'unknown' end as verdict,
    s.activity_reason as reason,
    s.principal_arn like '%:role/aws-service-role/%' as is_service_linked,
    k.created_at,
    k.last_used_at,
    s.granted,
    s.high_risk_removable as high_risk,
    s.since,
    s.until,
    s.coverage,
    s.snapshot_time
from summaries s
left join known k
    on s.principal_arn = k.principal_arn
    and s.snapshot_time = k.snapshot_time
    and s.principal_id is not distinct from k.unique_id
order by principal_arn, principal_id
