-- Evidence of use of every role and user in a window: one row per principal and action, and one per principal and operation
-- whose calls map to no action. A call that two accounts recorded is counted once: the larger of what the
-- principal's own account and what the others have. Where records name the caller by its unique id alone, as those in the
-- logs of another account do, `principal_arn` is empty. What VPC endpoints and the console record are no calls that were
-- authorised, but the same call may have been: it may have needed what its name stands for.
with unauthorised as (
    select
        e.event_time,
        e.event_source,
        e.event_name,
        e.event_type,
        e.serving_region,
        e.recipient_account_id,
        e.principal_arn,
        e.principal_type,
        coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1)) as principal_id,
        e.error_code,
        e.error_message,
        e.request_parameters,
        e.additional_event_data
    from events e
    where e.event_date >= cast($since as date)
      and e.event_date <= cast($until as date)
      and e.event_time >= $since
      and e.event_time < $until
      and (
          e.event_type in ('AwsVpceEvent', 'AwsConsoleAction')
          or (e.event_type = 'AwsConsoleSignIn' and e.event_name = 'SwitchRole')
      )
),
shadows as (
    select
        u.event_time,
        u.event_source,
        u.event_name,
        u.event_type,
        u.serving_region,
        u.recipient_account_id,
        u.principal_arn,
        u.principal_type,
        u.principal_id,
        unnest(iam_actions(
            case when u.event_name = 'SwitchRole' then 'sts.amazonaws.com' else u.event_source end,
            case when u.event_name = 'SwitchRole' then 'AssumeRole' else u.event_name end,
            'AwsApiCall',
            u.error_code,
            u.error_message,
            u.request_parameters
        )) as need
    from unauthorised u
    union all
    -- The record of a switch may be that of the role, and say who switched.
    select
        u.event_time,
        u.event_source,
        u.event_name,
        u.event_type,
        u.serving_region,
        u.recipient_account_id,
        case
            when u.additional_event_data->>'SwitchFrom' like '%:assumed-role/%' then concat(
                'arn:',
                split_part(u.additional_event_data->>'SwitchFrom', ':', 2),
                ':iam::',
                split_part(u.additional_event_data->>'SwitchFrom', ':', 5),
                ':role/',
                split_part(u.additional_event_data->>'SwitchFrom', '/', 2)
            )
            else u.additional_event_data->>'SwitchFrom'
        end as principal_arn,
        'role' as principal_type,
        cast(null as varchar) as principal_id,
        unnest(iam_actions('sts.amazonaws.com', 'AssumeRole', 'AwsApiCall', u.error_code, u.error_message)) as need
    from unauthorised u
    where u.event_type = 'AwsConsoleSignIn'
      and u.event_name = 'SwitchRole'
      and u.additional_event_data->>'SwitchFrom' like 'arn:%'
),
calls as (
    -- Whole days.
    select
        u.principal_arn,
        u.principal_type,
        u.principal_id,
        u.recipient_account_id,
        u.event_category,
        u.event_type,
        u.event_source,
        u.event_name,
        u.serving_region,
        u.action,
        u.verdict,
        u.outcome,
        u.is_proven,
        u.confidence,
        u.calls,
        u.unnamed,
        u.first_seen,
        u.last_seen,
        u.resources,
        u.more_resources
    from usage u
    where u.day >= cast($since as date)
      and (u.day > cast($since as date) or $since = date_trunc('day', $since))
      and u.day < cast($until as date)
    union all
    -- The days that the window begins and ends in.
    select
        u.principal_arn,
        u.principal_type,
        u.principal_id,
        u.recipient_account_id,
        u.event_category,
        u.event_type,
        u.event_source,
        u.event_name,
        u.serving_region,
        u.action,
        u.verdict,
        u.outcome,
        u.is_proven,
        u.confidence,
        cast(1 as bigint) as calls,
        cast(case when u.resources is null then 1 else 0 end as bigint) as unnamed,
        u.event_time as first_seen,
        u.event_time as last_seen,
        u.resources,
        false as more_resources
    from used_actions u
    where (
          (u.event_date = cast($since as date) and $since <> date_trunc('day', $since))
          or u.event_date = cast($until as date)
      )
      and u.event_time >= $since
      and u.event_time < $until
    union all
    -- The same calls may have been authorised, and have no category that would leave them out.
    select
        s.principal_arn,
        s.principal_type,
        s.principal_id,
        s.recipient_account_id,
        cast(null as varchar) as event_category,
        cast(null as varchar) as event_type,
        s.event_source,
        s.event_name,
        s.serving_region,
        s.need['action'] as action,
        case when s.event_type = 'AwsVpceEvent' then s.need['verdict'] else 'not-iam' end as verdict,
        s.need['outcome'] as outcome,
        false as is_proven,
        s.need['confidence'] as confidence,
        cast(1 as bigint) as calls,
        cast(1 as bigint) as unnamed,
        s.event_time as first_seen,
        s.event_time as last_seen,
        cast(null as varchar[]) as resources,
        false as more_resources
    from shadows s
),
counted as (
    select
        case when c.principal_type = 'account' then '' else coalesce(c.principal_arn, '') end as principal_arn,
        c.principal_id,
        c.recipient_account_id is not distinct from split_part(c.principal_arn, ':', 5) as is_own,
        c.event_source,
        c.event_name,
        c.serving_region,
        c.action,
        c.verdict,
        c.outcome,
        c.is_proven,
        c.confidence,
        c.calls,
        c.unnamed,
        c.first_seen,
        c.last_seen,
        c.resources,
        c.more_resources
    from calls c
    where (
          (c.principal_type in ('role', 'user') and c.principal_arn is not null)
          or (c.principal_type in ('account', 'role', 'user') and substr(c.principal_id, 1, 4) in ('AROA', 'AIDA'))
      )
      and (c.event_category is null or c.event_category in ('Management', 'Data'))
      and (c.event_type is null or c.event_type <> 'AwsServiceEvent')
),
needs as (
    select
        c.principal_arn,
        c.principal_id,
        c.is_own,
        c.serving_region,
        c.action,
        case when c.verdict = 'unmapped' then c.event_source end as unmapped_source,
        case when c.verdict = 'unmapped' then c.event_name end as unmapped_name,
        case
            when c.action is null then 'none'
            when c.outcome = 'succeeded'
                and c.is_proven
                and c.confidence not in ('conflict', 'ambiguous', 'unresolved') then 'used'
            when c.outcome = 'succeeded' or not c.is_proven then 'uncertain'
            else c.outcome
        end as evidence,
        c.calls,
        c.unnamed,
        c.first_seen,
        c.last_seen,
        c.more_resources,
        -- One row per resource, and one for a need without; the first of them counts the calls.
        unnest(case when cardinality(c.resources) > 0 then c.resources else make_array(cast(null as varchar)) end) as resource,
        unnest(range(1, cast(greatest(coalesce(cardinality(c.resources), 1), 1) as bigint) + 1)) as resource_number
    from counted c
),
per_resource as (
    select
        n.principal_arn,
        n.principal_id,
        n.action,
        n.unmapped_source,
        n.unmapped_name,
        n.serving_region,
        n.is_own,
        case when n.evidence = 'used' then n.resource end as resource,
        sum(case when n.evidence = 'used' and n.resource_number = 1 then n.calls else 0 end) as used,
        sum(case when n.evidence = 'used' and n.resource_number = 1 then n.unnamed else 0 end) as unnamed,
        sum(case when n.evidence = 'uncertain' and n.resource_number = 1 then n.calls else 0 end) as uncertain,
        sum(case when n.evidence = 'denied' and n.resource_number = 1 then n.calls else 0 end) as denied,
        sum(case when n.evidence = 'failed' and n.resource_number = 1 then n.calls else 0 end) as failed,
        bool_or(n.evidence = 'used' and n.more_resources) as more_resources,
        min(case when n.evidence = 'used' then n.first_seen end) as first_used,
        max(case when n.evidence = 'used' then n.last_seen end) as last_used,
        max(case when n.evidence = 'denied' then n.last_seen end) as last_denied,
        min(n.first_seen) as first_seen,
        max(n.last_seen) as last_seen
    from needs n
    group by
        n.principal_arn,
        n.principal_id,
        n.action,
        n.unmapped_source,
        n.unmapped_name,
        n.serving_region,
        n.is_own,
        case when n.evidence = 'used' then n.resource end
),
numbered as (
    select
        p.*,
        dense_rank() over (
            partition by p.principal_arn, p.principal_id, p.action, p.unmapped_source, p.unmapped_name
            order by p.resource nulls last
        ) as position
    from per_resource p
)
select
    n.principal_arn,
    n.principal_id,
    n.action,
    n.unmapped_source,
    n.unmapped_name,
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
    cast(
        case when bool_or(n.more_resources) then 51 else least(count(distinct n.resource), 51) end as bigint
    ) as resource_count,
    array_agg(distinct n.resource) filter (where n.resource is not null and n.position <= 50) as resources
from numbered n
group by n.principal_arn, n.principal_id, n.action, n.unmapped_source, n.unmapped_name
