-- @id        passrole-use
-- @title     Passed roles
-- @question  Who passed which role to which service, and who may pass roles and did not?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User, role or root user that passed the role, or may pass roles.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    passed_role utf8  ARN of the role; null where none was passed, or where no snapshot has the instance profile.
-- @column    instance_profile utf8  Instance profile that the call named in place of the role.
-- @column    event_source utf8  Service that it was passed to.
-- @column    event_name utf8  API operation as recorded, with any version suffix.
-- @column    verdict utf8  Of `iam:PassRole`: `used`, `unused`, `denied-attempt`, `used-not-granted` or `unknown`.
-- @column    reason utf8  Why it is unknown, or not granted; for an instance profile that no snapshot has, that its role is not known.
-- @column    succeeded int64  Calls that passed the role.
-- @column    denied int64  Calls that were denied: attempts, no uses.
-- @column    failed int64  Calls that failed otherwise.
-- @column    first_seen timestamp  First of these calls.
-- @column    last_seen timestamp  Last of them.
-- @column    policies utf8  Policies that grant `iam:PassRole` to the principal, sorted, separated by commas.
-- @severity  medium
-- @identity  principal_arn, principal_id, passed_role, instance_profile, event_source, verdict
-- @finding   verdict = unused, denied-attempt, used-not-granted
-- @unknown   verdict = unknown
-- @control   soc2:CC6.3
-- @control   iso27001:A.8.2
-- @caveat    CloudTrail has no event of its own for passing a role: the role in the request of another call shows it, and calls whose request names none show nothing.
-- @caveat    The role of an instance profile is the one that the newest snapshot shows in it, matched by account and name.
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
    -- Of a list only whether it is null is looked at before calls are mapped to actions.
    where u.passed_role_arns is not null
      and cardinality(u.passed_role_arns) > 0
      and u.action = 'iam:PassRole'
      and u.is_proven
      and u.principal_arn is not null
      and u.principal_type in ('role', 'user', 'root')
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and ($since is null or (u.event_date >= cast($since as date) and u.event_time >= $since))
      and ($until is null or (u.event_date <= cast($until as date) and u.event_time < $until))
),
profiles as (
    -- Names of instance profiles are unique within an account, and requests leave out the path.
    select
        split_part(h.profile, ':', 5) as account_id,
        reverse(split_part(reverse(h.profile), '/', 1)) as profile_name,
        max(h.role_arn) as role_arn
    from (
        select
            p.principal_arn as role_arn,
            p.snapshot_time,
            max(p.snapshot_time) over (partition by p.account_id) as newest,
            unnest(p.instance_profiles) as profile
        from iam_principals p
        where p.kind = 'role'
    ) h
    where h.snapshot_time = h.newest
    group by 1, 2
),
passes as (
    select
        n.principal_arn,
        n.unique_id,
        case when n.passed_role like '%:instance-profile/%' then r.role_arn else n.passed_role end as passed_role,
        case when n.passed_role like '%:instance-profile/%' then n.passed_role end as instance_profile,
        n.event_source,
        n.event_name,
        count(distinct n.event_id) filter (where n.outcome = 'succeeded') as succeeded,
        count(distinct n.event_id) filter (where n.outcome = 'denied') as denied,
        count(distinct n.event_id) filter (where n.outcome = 'failed') as failed,
        min(n.event_time) as first_seen,
        max(n.event_time) as last_seen
    from needs n
    left join profiles r
        on n.passed_role like '%:instance-profile/%'
        and split_part(n.passed_role, ':', 5) = r.account_id
        and reverse(split_part(reverse(n.passed_role), '/', 1)) = r.profile_name
    group by 1, 2, 3, 4, n.event_source, n.event_name
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
    s.instance_profile,
    s.event_source,
    s.event_name,
    coalesce(p.verdict, 'unknown') as verdict,
    case
        when s.instance_profile is not null and s.passed_role is null
            then 'no snapshot has the instance profile, so that its role is not known'
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
order by principal_arn, principal_id, passed_role, instance_profile, event_source, event_name
