-- What stands behind the uses of chosen principals: one row per principal, action and kind of evidence, with the last
-- events, the calls, the resources and where the calls came from. Hints are resources whose ARN is made of names in the
-- request. What failed for another reason than a lack of permission was allowed: its resources count, and it is no evidence of
-- use. `$principals` has one ARN per line, and null is all.
with needs as (
    select
        u.principal_arn,
        u.principal_id,
        u.event_source,
        u.event_name,
        u.event_id,
        u.event_time,
        u.serving_region,
        u.vpc_endpoint_id,
        u.via_service,
        u.action,
        u.is_proven and u.confidence not in ('conflict', 'ambiguous', 'unresolved') as is_used,
        u.resources,
        u.resource_origins,
        u.proof = 'passed role' as is_passed_role,
        u.outcome = 'failed' as is_failed
    from used_actions u
    where u.event_date >= cast($since as date)
      and u.event_date <= cast($until as date)
      and u.event_time >= $since
      and u.event_time < $until
      and ($principals is null or array_has(string_to_array($principals, chr(10)), u.principal_arn))
      and u.principal_type in ('role', 'user')
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and (
          u.outcome = 'succeeded'
          or (
              u.outcome = 'failed'
              and u.is_proven
              and u.confidence not in ('conflict', 'ambiguous', 'unresolved')
          )
      )
      and u.action is not null
),
numbered as (
    select
        n.*,
        row_number() over (
            partition by n.principal_arn, n.principal_id, n.action, n.is_used
            order by n.is_failed, n.event_time desc, n.event_id
        ) as position,
        dense_rank() over (
            partition by n.principal_arn, n.principal_id, n.action, n.is_used
            order by n.event_source, n.event_name
        ) as call_position
    from needs n
),
calls as (
    select
        n.principal_arn,
        n.principal_id,
        n.action,
        n.is_used,
        array_agg(n.event_id order by n.event_time desc, n.event_id) filter (where n.position <= 3 and not n.is_failed) as event_ids,
        array_agg(distinct n.event_source || ':' || n.event_name) filter (where n.call_position <= 5 and not n.is_failed) as calls,
        array_agg(distinct n.serving_region) filter (where n.serving_region is not null) as regions,
        array_agg(distinct n.vpc_endpoint_id) filter (where n.vpc_endpoint_id is not null) as endpoints,
        cast(sum(case when n.vpc_endpoint_id is null then 1 else 0 end) as bigint) as without_endpoint,
        array_agg(distinct n.via_service) filter (where n.via_service is not null) as services,
        cast(sum(case when n.via_service is null then 1 else 0 end) as bigint) as without_service
    from numbered n
    group by n.principal_arn, n.principal_id, n.action, n.is_used
),
named as (
    select
        n.principal_arn,
        n.principal_id,
        n.action,
        n.is_used,
        n.event_source,
        n.is_passed_role,
        unnest(coalesce(n.resources, make_array(cast(null as varchar)))) as resource,
        unnest(coalesce(n.resource_origins, make_array(cast(null as varchar)))) as origin
    from needs n
),
ranked as (
    select
        r.*,
        dense_rank() over (
            partition by r.principal_arn, r.principal_id, r.action, r.is_used
            order by r.resource nulls last
        ) as position
    from named r
),
resources as (
    select
        r.principal_arn,
        r.principal_id,
        r.action,
        r.is_used,
        cast(sum(case when r.resource is null then 1 else 0 end) as bigint) as unnamed,
        cast(count(distinct r.resource) as bigint) as resource_count,
        array_agg(distinct r.resource) filter (where r.resource is not null and r.position <= 1000) as resources,
        array_agg(distinct r.resource)
            filter (where r.origin in ('template', 'names') and r.position <= 1000) as hints,
        array_agg(distinct r.event_source || ' ' || r.resource)
            filter (where r.is_passed_role and r.resource is not null and r.position <= 1000) as passed_roles
    from ranked r
    group by r.principal_arn, r.principal_id, r.action, r.is_used
)
select
    c.principal_arn,
    c.principal_id,
    c.action,
    c.is_used,
    c.event_ids,
    c.calls,
    c.regions,
    c.endpoints,
    c.without_endpoint,
    c.services,
    c.without_service,
    r.unnamed,
    r.resource_count,
    r.resources,
    r.hints,
    r.passed_roles
from calls c
join resources r
  on r.principal_arn = c.principal_arn
 and (r.principal_id is not distinct from c.principal_id)
 and r.action = c.action
 and r.is_used = c.is_used
order by c.principal_arn, c.principal_id, c.action, c.is_used
