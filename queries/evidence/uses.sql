-- Evidence of use of every role and user in a window: one row per principal and action, and one per principal and event
-- source whose calls map to no action. A call that two accounts recorded is counted once: the larger of what the
-- principal's own account and what the others have.
with mapped as (
    select
        e.principal_arn,
        coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1)) as principal_id,
        e.recipient_account_id is not distinct from split_part(e.principal_arn, ':', 5) as is_own,
        e.event_source,
        e.event_name,
        e.event_time,
        e.serving_region,
        unnest(iam_actions(
            e.event_source,
            e.event_name,
            e.event_type,
            e.error_code,
            e.error_message,
            e.request_parameters,
            e.additional_event_data,
            e.resources,
            e.passed_role_arns,
            e.recipient_account_id,
            e.aws_region,
            e.user_identity_type
        )) as need
    from events e
    where e.event_date >= cast($since as date)
      and e.event_date <= cast($until as date)
      and e.event_time >= $since
      and e.event_time < $until
      and e.principal_arn is not null
      and e.principal_type in ('role', 'user')
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and (e.event_type is null or e.event_type <> 'AwsServiceEvent')
),
needs as (
    select
        m.principal_arn,
        m.principal_id,
        m.is_own,
        m.event_time,
        m.serving_region,
        m.need['action'] as action,
        case when m.need['verdict'] = 'unmapped' then m.event_source end as unmapped_source,
        case when m.need['verdict'] = 'unmapped' then m.event_name end as unmapped_name,
        case
            when m.need['action'] is null then 'none'
            when m.need['outcome'] = 'succeeded'
                and m.need['is_proven']
                and m.need['confidence'] not in ('conflict', 'ambiguous', 'unresolved') then 'used'
            when m.need['outcome'] = 'succeeded' then 'uncertain'
            when not m.need['is_proven'] then 'none'
            else m.need['outcome']
        end as evidence,
        m.need['resources'][1] as first_resource,
        unnest(coalesce(m.need['resources'], make_array(cast(null as varchar)))) as resource
    from mapped m
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
order by n.principal_arn, n.principal_id, n.action, n.unmapped_source
