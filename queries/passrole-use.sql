-- @id        passrole-use
-- @title     Passed roles
-- @question  Who passed which role to which service, and who may pass roles and did not?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User, role or root user that passed the role, or may pass roles.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    passed_role utf8  ARN of the role, or of the instance profile that holds it; null where none was passed.
-- @column    event_source utf8  Service that it was passed to.
-- @column    event_name utf8  API operation as recorded, with any version suffix.
-- @column    verdict utf8  Of `iam:PassRole`: `used`, `unused`, `denied-attempt`, `used-not-granted` or `unknown`.
-- @column    reason utf8  Why it is unknown, or not granted.
-- @column    succeeded int64  Calls that passed the role.
-- @column    denied int64  Calls that were denied: attempts, no uses.
-- @column    failed int64  Calls that failed otherwise.
-- @column    first_seen timestamp  First of these calls.
-- @column    last_seen timestamp  Last of them.
-- @column    policies utf8  Policies that grant `iam:PassRole` to the principal, sorted, separated by commas.
-- @severity  medium
-- @control   soc2:CC6.3
-- @control   iso27001:A.8.2
-- @caveat    CloudTrail has no event of its own for passing a role: the role in the request of another call shows it, and calls whose request names none show nothing.
-- @caveat    A call that was denied may have lacked another permission than `iam:PassRole`.
-- @caveat    What a trail records is inferred from what the logs hold: event selectors that name single buckets, tables or functions cannot be seen.
-- @caveat    The window, the coverage of the logs and the time of the snapshot stand in every row: outside of them nothing is proven.
with bounds as (
    select
        max(c.since) as since,
        max(c.until) as until
    from log_coverage($since, $until) c
),
needs as (
    select
        u.principal_arn,
        nullif(u.principal_id, '') as unique_id,
        u.event_source,
        u.event_name,
        u.event_id,
        u.event_time,
        u.outcome,
        unnest(u.passed_role_arns) as passed_role
    from used_actions u
    join bounds b
        on u.event_time >= b.since
        and u.event_time < b.until
    where cardinality(u.passed_role_arns) > 0
      and u.action = 'iam:PassRole'
      and u.is_proven
      and u.principal_arn is not null
      and u.principal_type in ('role', 'user', 'root')
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and ($since is null or (u.event_date >= cast($since as date) and u.event_time >= $since))
      and ($until is null or (u.event_date <= cast($until as date) and u.event_time < $until))
),
passes as (
    select
        n.principal_arn,
        n.unique_id,
        n.passed_role,
        n.event_source,
        n.event_name,
        count(distinct n.event_id) filter (where n.outcome = 'succeeded') as succeeded,
        count(distinct n.event_id) filter (where n.outcome = 'denied') as denied,
        count(distinct n.event_id) filter (where n.outcome = 'failed') as failed,
        min(n.event_time) as first_seen,
        max(n.event_time) as last_seen
    from needs n
    group by n.principal_arn, n.unique_id, n.passed_role, n.event_source, n.event_name
),
permissions as (
    -- What several statements grant counts once, by what keeps it most.
    select
        g.principal_arn,
        g.principal_id,
        split_part(
            min(
                case g.verdict
                    when 'used' then 'a:used'
                    when 'used-not-granted' then 'b:used-not-granted'
                    when 'unknown' then 'c:unknown'
                    when 'denied-attempt' then 'd:denied-attempt'
                    else 'e:unused'
                end
            ), ':', 2
        ) as verdict,
        min(g.reason) as reason,
        array_to_string(array_sort(array_agg(distinct g.policy) filter (where g.policy is not null)), ',') as policies
    from granted_and_used($since, $until, $min_window_days, $min_coverage) g
    where g.action = 'iam:PassRole'
    group by g.principal_arn, g.principal_id
)
select
    coalesce(s.principal_arn, p.principal_arn) as principal_arn,
    coalesce(s.unique_id, p.principal_id) as principal_id,
    s.passed_role,
    s.event_source,
    s.event_name,
    coalesce(p.verdict, 'unknown') as verdict,
    case
        when p.verdict is null then 'neither snapshots nor policies tell what the principal may do'
        when p.verdict in ('unknown', 'used-not-granted') then p.reason
    end as reason,
    coalesce(s.succeeded, 0) as succeeded,
    coalesce(s.denied, 0) as denied,
    coalesce(s.failed, 0) as failed,
    s.first_seen,
    s.last_seen,
    p.policies
from passes s
full join permissions p
    on s.principal_arn = p.principal_arn
    and coalesce(s.unique_id, '') = coalesce(p.principal_id, '')
order by principal_arn, principal_id, passed_role, event_source, event_name
