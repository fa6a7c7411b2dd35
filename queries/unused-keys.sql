-- @id        unused-keys
-- @title     Passwords and keys that nobody used
-- @question  Which passwords and access keys that can be used were not used in the window, and of which is that unknown?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User or root user.
-- @column    credential utf8  `password`, `access-key-1`, `access-key-2`, `certificate-1` or `certificate-2`.
-- @column    account_id utf8  Account of the user.
-- @column    verdict utf8  `unused`, or `unknown` when nothing can be said.
-- @column    reason utf8  Why it is unknown.
-- @column    is_active bool  Whether it can be used; null where the report does not say.
-- @column    changed_at timestamp  When it was made or last changed.
-- @column    last_used_at timestamp  When it was last used, as the report says; null for never, and where it does not say.
-- @column    mfa_active bool  Whether the user has an MFA device.
-- @column    since timestamp  First moment that is judged; null where the logs hold nothing of the account.
-- @column    until timestamp  End of what is judged: of the window, or of the report.
-- @column    coverage float64  Share of the hours of the window that the logs of the account cover.
-- @column    report_time timestamp  When the credential report was taken.
-- @severity  medium
-- @identity  principal_arn, credential
-- @finding   verdict = unused
-- @unknown   verdict = unknown
-- @control   soc2:CC6.1
-- @control   iso27001:A.5.17
-- @caveat    Only accounts whose credential report was imported are shown, and of several reports the newest.
-- @caveat    Records name the user and not which of two keys the report means: where the logs show calls of a user that has two, neither is called unused.
-- @caveat    `unused` takes both: a report that knows of no use in the window, and logs of the account that hold none.
with logs as (
    select
        c.account_id,
        c.since,
        c.until,
        c.coverage,
        c.region_doubt
    from log_coverage($since, $until) c
),
times as (
    select
        c.account_id,
        max(c.snapshot_time) as report_time
    from iam_credentials c
    group by c.account_id
),
reports as (
    select
        c.account_id,
        max(c.source_id) as source_id
    from iam_credentials c
    join times t
        on c.account_id = t.account_id
        and c.snapshot_time = t.report_time
    group by c.account_id
),
listed as (
    select
        c.principal_arn,
        c.kind,
        case when c.kind like 'access-key-%' then 'key' else c.kind end as way,
        c.account_id,
        c.is_active,
        c.user_created_at,
        c.changed_at,
        c.last_used_at,
        c.mfa_active,
        c.snapshot_time as report_time,
        count(*) over (
            partition by c.principal_arn, case when c.kind like 'access-key-%' then 'key' else c.kind end
        ) as alike
    from iam_credentials c
    join reports r
        on c.source_id = r.source_id
        and c.account_id = r.account_id
),
calls as (
    select
        e.principal_arn,
        case when e.credential_kind = 'console' then 'password' else 'key' end as way,
        max(e.event_time) as last_call
    from events e
    join logs l
        on split_part(e.principal_arn, ':', 5) = l.account_id
        and e.event_time >= l.since
        and e.event_time < l.until
    where e.principal_type in ('user', 'root')
      and e.credential_kind in ('console', 'long-term')
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
      and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
    group by e.principal_arn, case when e.credential_kind = 'console' then 'password' else 'key' end
),
evidence as (
    select
        c.principal_arn,
        c.kind,
        c.way,
        c.alike,
        c.account_id,
        c.is_active,
        case when c.way = 'password' then greatest(c.user_created_at, c.changed_at) else c.changed_at end as made_at,
        c.changed_at,
        c.last_used_at,
        c.mfa_active,
        c.report_time,
        l.since,
        least(l.until, c.report_time) as until,
        l.until as until_of_window,
        l.coverage,
        l.region_doubt,
        u.last_call,
        ceil((extract(epoch from least(l.until, c.report_time)) - extract(epoch from l.since)) / 86400) as days
    from listed c
    left join logs l
        on c.account_id = l.account_id
    left join calls u
        on c.principal_arn = u.principal_arn
        and c.way = u.way
    where c.is_active is null
       or c.is_active
),
judged as (
    select
        e.*,
        case
            when e.last_used_at >= e.since and e.last_used_at < e.until_of_window then 'used'
            when e.last_call is not null and e.alike = 1 then 'used'
        end as use,
        case
            when e.since is null then 'the logs hold nothing of the account in the window'
            when e.last_used_at >= e.until_of_window then 'the report tells the last use only, which was after the window'
            when e.last_call is not null then 'the logs show calls with one of the keys of the user'
            when e.way like 'certificate-%' then 'reports do not tell when a certificate was used'
            when e.is_active is null then 'the report does not say whether it can be used'
            when e.report_time <= e.since then 'the report is from before the window'
            when e.made_at is null then 'the report does not say when it was made'
            when e.made_at > e.since then 'it was made inside the window'
            when e.days < coalesce($min_window_days, 30)
                then 'the window is too short: ' || cast(e.days as bigint) || ' days, and ' || coalesce($min_window_days, 30) || ' are needed'
            when e.coverage < coalesce($min_coverage, 0.95) then 'the logs do not cover enough of the window'
            else e.region_doubt
        end as doubt
    from evidence e
)
select
    j.principal_arn,
    j.kind as credential,
    j.account_id,
    case when j.doubt is null then 'unused' else 'unknown' end as verdict,
    j.doubt as reason,
    j.is_active,
    j.changed_at,
    j.last_used_at,
    j.mfa_active,
    j.since,
    j.until,
    j.coverage,
    j.report_time
from judged j
where j.use is null
order by principal_arn, credential
