-- @id        used-actions
-- @title     Used actions
-- @question  Which IAM actions did each role, user and root user use or try, by which calls, with what outcome, where and when?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @param     principal utf8?  Only this principal: ARN of a role or user, without session name.
-- @column    principal_arn utf8  Role, user or root user; the session name is removed, the path kept.
-- @column    principal_type utf8  role, user, root, account, federated, identity-center-user or unknown.
-- @column    action utf8  IAM action that the calls needed; null if they needed none or none is known.
-- @column    access_level utf8  List, Read, Write, Tagging or Permissions management.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    event_name utf8  API operation as recorded, with any version suffix.
-- @column    succeeded int64  Calls without an error: uses of the action.
-- @column    denied int64  Calls that failed for lack of permission: attempts, no uses.
-- @column    failed int64  Calls that failed otherwise: wrong arguments, throttling and the like.
-- @column    proof utf8  What shows that the calls needed the action, separated by semicolons.
-- @column    confidence utf8  How sure the mapping from call to action is, separated by commas.
-- @column    reason utf8  Why there is no action.
-- @column    regions utf8  Regions that served the calls, sorted, separated by commas.
-- @column    first_seen timestamp  First call in the window.
-- @column    last_seen timestamp  Last call in the window.
-- @column    resource_count int64  Distinct resources that the action was needed for, counted up to 50; 51 stands for more.
-- @column    resources utf8  The first ten of them in alphabetical order, separated by commas.
-- @column    facts_date utf8  Day of the facts that map calls to actions.
-- @control   soc2:CC6.3
-- @control   iso27001:A.5.18
-- @caveat    Calls that leave no event, and data events that the trail does not record, are not shown: absence is no proof.
-- @caveat    One call may need several actions and is then counted for each; actions that it may have needed without proof are left out, and stand in the view used_actions.
-- @caveat    Many records name no resources; those that are made of request parameters may lack some, and a count of 0 does not mean that none was touched.
-- @caveat    Where `confidence` has `conflict`, `ambiguous` or `unresolved`, the calls may have needed another action: `diff` calls that `unknown`, not `used`.
-- @caveat    Calls that AWS services make by themselves are left out; calls they make for a principal are counted for it.
with counted as (
    -- Whole days.
    select
        u.principal_arn,
        u.principal_type,
        u.event_source,
        u.event_name,
        u.serving_region,
        u.action,
        u.access_level,
        u.proof,
        u.confidence,
        u.reason,
        u.outcome,
        u.calls,
        u.first_seen,
        u.last_seen,
        u.resources,
        u.more_resources
    from usage u
    where u.principal_arn is not null
      and u.principal_type <> 'service'
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and ($since is null or u.day >= cast($since as date))
      and ($since is null or u.day > cast($since as date) or $since = date_trunc('day', $since))
      and ($until is null or u.day < cast($until as date))
      and ($principal is null or u.principal_arn = $principal)
      and (u.action is null or u.is_proven)
    union all
    -- The days that the window begins and ends in.
    select
        u.principal_arn,
        u.principal_type,
        u.event_source,
        u.event_name,
        u.serving_region,
        u.action,
        u.access_level,
        u.proof,
        u.confidence,
        u.reason,
        u.outcome,
        cast(1 as bigint) as calls,
        u.event_time as first_seen,
        u.event_time as last_seen,
        u.resources,
        false as more_resources
    from used_actions u
    where u.principal_arn is not null
      and u.principal_type <> 'service'
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and (
          (u.event_date = cast($since as date) and $since <> date_trunc('day', $since))
          or u.event_date = cast($until as date)
      )
      and ($since is null or u.event_time >= $since)
      and ($until is null or u.event_time < $until)
      and ($principal is null or u.principal_arn = $principal)
      and (u.action is null or u.is_proven)
),
needs as (
    select
        c.principal_arn,
        c.principal_type,
        c.event_source,
        c.event_name,
        c.serving_region,
        c.action,
        c.access_level,
        c.proof,
        c.confidence,
        c.reason,
        c.outcome,
        c.calls,
        c.first_seen,
        c.last_seen,
        c.more_resources,
        -- One row per resource, and one for a need without; the first of them counts the calls.
        unnest(case when cardinality(c.resources) > 0 then c.resources else make_array(cast(null as varchar)) end) as resource_arn,
        unnest(range(1, cast(greatest(coalesce(cardinality(c.resources), 1), 1) as bigint) + 1)) as resource_number
    from counted c
),
per_resource as (
    select
        principal_arn,
        principal_type,
        action,
        event_source,
        event_name,
        resource_arn,
        serving_region,
        proof,
        confidence,
        max(access_level) as access_level,
        sum(case when outcome = 'succeeded' and resource_number = 1 then calls else 0 end) as succeeded,
        sum(case when outcome = 'denied' and resource_number = 1 then calls else 0 end) as denied,
        sum(case when outcome = 'failed' and resource_number = 1 then calls else 0 end) as failed,
        max(reason) as reason,
        bool_or(more_resources) as more_resources,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from needs
    group by
        principal_arn, principal_type, action, event_source, event_name,
        resource_arn, serving_region, proof, confidence
),
ranked as (
    select
        r.*,
        dense_rank() over (
            partition by principal_arn, principal_type, action, event_source, event_name
            order by resource_arn nulls last
        ) as position
    from per_resource r
)
select
    principal_arn,
    principal_type,
    action,
    max(access_level) as access_level,
    event_source,
    event_name,
    cast(sum(succeeded) as bigint) as succeeded,
    cast(sum(denied) as bigint) as denied,
    cast(sum(failed) as bigint) as failed,
    array_to_string(array_sort(array_agg(distinct proof)), '; ') as proof,
    array_to_string(array_sort(array_agg(distinct confidence)), ',') as confidence,
    max(reason) as reason,
    array_to_string(array_sort(array_agg(distinct serving_region)), ',') as regions,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen,
    case when bool_or(more_resources) then 51 else least(count(distinct resource_arn), 51) end as resource_count,
    array_to_string(
        array_sort(array_agg(distinct resource_arn) filter (where position <= 10 and resource_arn is not null)), ','
    ) as resources,
    iam_facts_date() as facts_date
from ranked
group by principal_arn, principal_type, action, event_source, event_name
order by principal_arn, action, event_source, event_name, principal_type
