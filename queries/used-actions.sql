-- @id        used-actions
-- @title     Used actions
-- @question  Which API calls did each role, user and root user make, with what outcome, where and when?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @param     principal utf8?  Only this principal: ARN of a role or user, without session name.
-- @column    principal_arn utf8  Role, user or root user; the session name is removed, the path kept.
-- @column    principal_type utf8  role, user, root, account, federated, identity-center-user or unknown.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    event_name utf8  API operation as recorded, with any version suffix.
-- @column    succeeded int64  Calls without an error; a failed console sign-in has a message but no code.
-- @column    denied int64  Calls that failed for lack of permission.
-- @column    failed int64  Calls that failed otherwise: wrong arguments, throttling and the like.
-- @column    regions utf8  Regions that served the calls, sorted, separated by commas.
-- @column    first_seen timestamp  First call in the window.
-- @column    last_seen timestamp  Last call in the window.
-- @column    resource_count int64  Distinct resource ARNs that the records name.
-- @column    resources utf8  The first ten of them in alphabetical order, separated by commas.
-- @control   soc2:CC6.3
-- @control   iso27001:A.5.18
-- @caveat    Calls that leave no event, and data events that the trail does not record, are not shown: absence is no proof.
-- @caveat    Many services name no resources in their records; a count of 0 does not mean that none was touched.
-- @caveat    Calls that AWS services make by themselves are left out; calls they make for a principal are counted for it.
with calls as (
    select
        e.principal_arn,
        e.principal_type,
        e.event_source,
        e.event_name,
        e.serving_region,
        e.event_time,
        e.resources,
        case
            when e.error_code is null and e.error_message is null then 'succeeded'
            when e.error_code like '%AccessDenied%'
                or e.error_code like '%Unauthorized%'
                or e.error_code like '%NotAuthorized%'
                or e.error_code = 'Forbidden' then 'denied'
            else 'failed'
        end as outcome
    from events e
    where e.principal_arn is not null
      and e.principal_type <> 'service'
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and (e.event_type is null or e.event_type <> 'AwsServiceEvent')
      and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
      and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
      and ($principal is null or e.principal_arn = $principal)
),
per_region as (
    select
        principal_arn,
        principal_type,
        event_source,
        event_name,
        serving_region,
        sum(case when outcome = 'succeeded' then 1 else 0 end) as succeeded,
        sum(case when outcome = 'denied' then 1 else 0 end) as denied,
        sum(case when outcome = 'failed' then 1 else 0 end) as failed,
        min(event_time) as first_seen,
        max(event_time) as last_seen
    from calls
    group by principal_arn, principal_type, event_source, event_name, serving_region
),
per_action as (
    select
        principal_arn,
        principal_type,
        event_source,
        event_name,
        sum(succeeded) as succeeded,
        sum(denied) as denied,
        sum(failed) as failed,
        string_agg(serving_region, ',' order by serving_region) as regions,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from per_region
    group by principal_arn, principal_type, event_source, event_name
),
mentions as (
    select
        principal_arn,
        principal_type,
        event_source,
        event_name,
        unnest(resources) as resource
    from calls
    where resources is not null
),
touched as (
    select
        principal_arn,
        principal_type,
        event_source,
        event_name,
        resource['arn'] as resource_arn
    from mentions
    where resource['arn'] is not null
    group by principal_arn, principal_type, event_source, event_name, resource['arn']
),
numbered as (
    select
        principal_arn,
        principal_type,
        event_source,
        event_name,
        resource_arn,
        row_number() over (
            partition by principal_arn, principal_type, event_source, event_name
            order by resource_arn
        ) as position
    from touched
),
listed as (
    select
        principal_arn,
        principal_type,
        event_source,
        event_name,
        max(position) as resource_count,
        array_to_string(array_sort(array_agg(resource_arn) filter (where position <= 10)), ',') as resources
    from numbered
    group by principal_arn, principal_type, event_source, event_name
)
select
    a.principal_arn,
    a.principal_type,
    a.event_source,
    a.event_name,
    cast(a.succeeded as bigint) as succeeded,
    cast(a.denied as bigint) as denied,
    cast(a.failed as bigint) as failed,
    a.regions,
    a.first_seen,
    a.last_seen,
    cast(coalesce(l.resource_count, 0) as bigint) as resource_count,
    l.resources
from per_action a
left join listed l
    on a.principal_arn = l.principal_arn
    and a.principal_type = l.principal_type
    and a.event_source = l.event_source
    and a.event_name = l.event_name
order by a.principal_arn, a.event_source, a.event_name, a.principal_type
