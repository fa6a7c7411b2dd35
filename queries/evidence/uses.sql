-- Evidence of use of every role and user in a window: one row per principal and action, and one per principal and event
-- source whose calls map to no action. A call that two accounts recorded is counted once: the larger of what the
-- principal's own account and what the others have.
with needs as (
    select
        u.principal_arn,
        u.principal_id,
        u.recipient_account_id is not distinct from split_part(u.principal_arn, ':', 5) as is_own,
        u.event_time,
        u.serving_region,
        u.action,
        case when u.verdict = 'unmapped' then u.event_source end as unmapped_source,
        case when u.verdict = 'unmapped' then u.event_name end as unmapped_name,
        case
            when u.action is null then 'none'
            when u.outcome = 'succeeded'
                and u.is_proven
                and u.confidence not in ('conflict', 'ambiguous', 'unresolved') then 'used'
            when u.outcome = 'succeeded' then 'uncertain'
            when not u.is_proven then 'none'
            else u.outcome
        end as evidence,
        u.resources[1] as first_resource,
        unnest(coalesce(u.resources, make_array(cast(null as varchar)))) as resource
    from used_actions u
    where u.event_date >= cast($since as date)
      and u.event_date <= cast($until as date)
      and u.event_time >= $since
      and u.event_time < $until
      and u.principal_arn is not null
      and u.principal_type in ('role', 'user')
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
),
per_resource as (
    select
        n.principal_arn,
        n.principal_id,
        n.action,
        n.unmapped_source,
        n.serving_region,
        n.is_own,
        case when n.evidence = 'used' then n.resource end as resource,
        max(n.unmapped_name) as unmapped_name,
        sum(case when n.evidence = 'used' and n.resource is not distinct from n.first_resource then 1 else 0 end) as used,
        sum(case when n.evidence = 'used' and n.resource is null then 1 else 0 end) as unnamed,
        sum(case when n.evidence = 'uncertain' and n.resource is not distinct from n.first_resource then 1 else 0 end) as uncertain,
        sum(case when n.evidence = 'denied' and n.resource is not distinct from n.first_resource then 1 else 0 end) as denied,
        sum(case when n.evidence = 'failed' and n.resource is not distinct from n.first_resource then 1 else 0 end) as failed,
        min(case when n.evidence = 'used' then n.event_time end) as first_used,
        max(case when n.evidence = 'used' then n.event_time end) as last_used,
        max(case when n.evidence = 'denied' then n.event_time end) as last_denied,
        min(n.event_time) as first_seen,
        max(n.event_time) as last_seen
    from needs n
    group by
        n.principal_arn,
        n.principal_id,
        n.action,
        n.unmapped_source,
        n.serving_region,
        n.is_own,
        case when n.evidence = 'used' then n.resource end
),
numbered as (
    select
        p.*,
        dense_rank() over (
            partition by p.principal_arn, p.principal_id, p.action, p.unmapped_source
            order by p.resource nulls last
        ) as position
    from per_resource p
)
select
    n.principal_arn,
    n.principal_id,
    n.action,
    n.unmapped_source,
    max(n.unmapped_name) as unmapped_name,
    cast(greatest(sum(case when n.is_own then n.used else 0 end), sum(case when n.is_own then 0 else n.used end)) as bigint) as used,
    cast(sum(n.unnamed) as bigint) as unnamed,
    cast(greatest(sum(case when n.is_own then n.uncertain else 0 end), sum(case when n.is_own then 0 else n.uncertain end)) as bigint) as uncertain,
    cast(greatest(sum(case when n.is_own then n.denied else 0 end), sum(case when n.is_own then 0 else n.denied end)) as bigint) as denied,
    cast(greatest(sum(case when n.is_own then n.failed else 0 end), sum(case when n.is_own then 0 else n.failed end)) as bigint) as failed,
    min(n.first_used) as first_used,
    max(n.last_used) as last_used,
    max(n.last_denied) as last_denied,
    min(n.first_seen) as first_seen,
    max(n.last_seen) as last_seen,
    array_agg(distinct n.serving_region) filter (where n.serving_region is not null) as regions,
    cast(count(distinct n.resource) as bigint) as resource_count,
    array_agg(distinct n.resource) filter (where n.resource is not null and n.position <= 50) as resources
from numbered n
group by n.principal_arn, n.principal_id, n.action, n.unmapped_source
