-- @id        denied-attempts
-- @title     Denied attempts
-- @question  Which actions did users and roles try and were denied, and do their policies grant them?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User or role.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    action utf8  IAM action that was denied, or that the call needed first; null where none is known.
-- @column    access_level utf8  List, Read, Write, Tagging or Permissions management.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    event_name utf8  API operation as recorded.
-- @column    error_code utf8  Error as recorded.
-- @column    verdict utf8  Of the permission: `used` where other calls succeeded, `denied-attempt` where none did, `used-not-granted`, or `unknown`.
-- @column    reason utf8  Why the verdict is unknown, or the action not granted.
-- @column    is_granted bool  Whether a policy of the principal grants the action on some resource; null without a snapshot of the principal.
-- @column    attempts int64  Calls that were denied.
-- @column    first_attempt timestamp  First of them.
-- @column    last_attempt timestamp  Last of them.
-- @column    regions utf8  Regions that served the calls, sorted, separated by commas.
-- @column    addresses int64  Distinct source addresses.
-- @column    resources utf8  The first ten resources in alphabetical order, separated by commas.
-- @severity  low
-- @identity  principal_arn, principal_id, action, event_source, event_name
-- @control   soc2:CC7.2
-- @control   iso27001:A.8.16
-- @caveat    A denied call is no use and never becomes a grant; of a call that needs several actions the record may name one only.
-- @caveat    Denied data events are only recorded where data events are; services that fail without an event show nothing.
with bounds as (
    select
        max(c.since) as since,
        max(c.until) as until
    from log_coverage($since, $until) c
),
attempts as (
    select
        u.principal_arn,
        nullif(u.principal_id, '') as unique_id,
        u.action,
        u.access_level,
        u.event_source,
        u.event_name,
        u.error_code,
        u.event_id,
        u.event_time,
        u.serving_region,
        u.source_ip_address,
        unnest(case when cardinality(u.resources) > 0 then u.resources else make_array(cast(null as varchar)) end) as resource
    from used_actions u
    join bounds b
        on u.event_time >= b.since
        and u.event_time < b.until
    where u.error_code is not null
      and u.outcome = 'denied'
      and (u.action is null or u.is_proven)
      and u.principal_arn is not null
      and u.principal_type in ('role', 'user')
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and ($since is null or (u.event_date >= cast($since as date) and u.event_time >= $since))
      and ($until is null or (u.event_date <= cast($until as date) and u.event_time < $until))
),
grouped as (
    select
        a.principal_arn,
        a.unique_id,
        a.action,
        max(a.access_level) as access_level,
        a.event_source,
        a.event_name,
        a.error_code,
        count(distinct a.event_id) as attempts,
        min(a.event_time) as first_attempt,
        max(a.event_time) as last_attempt,
        array_to_string(array_sort(array_agg(distinct a.serving_region)), ',') as regions,
        count(distinct a.source_ip_address) as addresses,
        array_to_string(
            array_slice(array_sort(array_agg(distinct a.resource) filter (where a.resource is not null)), 1, 10), ','
        ) as resources
    from attempts a
    group by a.principal_arn, a.unique_id, a.action, a.event_source, a.event_name, a.error_code
),
permissions as (
    -- What several statements grant counts once, by what keeps it most.
    select
        g.principal_arn,
        g.principal_id,
        g.action,
        min(
            case g.verdict
                when 'used' then 'a:used'
                when 'used-not-granted' then 'b:used-not-granted'
                when 'unknown' then 'c:unknown'
                else 'd:denied-attempt'
            end
        ) as standing,
        min(g.reason) as reason,
        bool_or(g.policy is not null) as has_policy,
        max(g.snapshot_time) as snapshot_time
    from granted_and_used($since, $until, $min_window_days, $min_coverage) g
    where g.denied_attempts > 0
    group by g.principal_arn, g.principal_id, g.action
)
select
    a.principal_arn,
    a.unique_id as principal_id,
    a.action,
    a.access_level,
    a.event_source,
    a.event_name,
    a.error_code,
    coalesce(split_part(p.standing, ':', 2), 'unknown') as verdict,
    case
        when a.action is null then 'no action is known for the call'
        when p.standing is null then 'neither snapshots nor other records tell which principal it was'
        else p.reason
    end as reason,
    case when p.snapshot_time is not null then p.has_policy end as is_granted,
    a.attempts,
    a.first_attempt,
    a.last_attempt,
    a.regions,
    a.addresses,
    a.resources
from grouped a
left join permissions p
    on a.principal_arn = p.principal_arn
    and a.action = p.action
    and a.unique_id is not distinct from p.principal_id
order by principal_arn, principal_id, action, event_source, event_name, error_code
