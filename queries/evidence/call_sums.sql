-- Calls of users, roles and root users in a window that were not denied, by principal, action and region. Calls that needed
-- no permission are left out. What VPC endpoints and the console record are no calls that were authorised, but the same call
-- may have been. `is_taking`: a service took a role there, and what it then did may have left no event. `is_routed`: a model was
-- invoked through an inference profile, which asks other regions, too.
with recent as (
    select *
    from events e
    where e.event_date >= cast($since as date)
      and e.event_date <= cast($until as date)
      and e.event_time >= $since
      and e.event_time < $until
),
shadows as (
    select
        e.event_time,
        e.event_source,
        e.aws_region,
        e.principal_arn,
        unnest(iam_actions(
            e.event_source,
            e.event_name,
            'AwsApiCall',
            e.error_code,
            e.error_message,
            e.request_parameters
        )) as need
    from recent e
    where e.principal_arn is not null
      and e.principal_type in ('role', 'user', 'root')
      and e.event_type in ('AwsVpceEvent', 'AwsConsoleAction')
),
made as (
    select
        u.principal_arn,
        u.event_source,
        u.action,
        u.aws_region,
        u.outcome = 'succeeded' as is_success,
        false as is_taking,
        false as is_routed,
        u.event_time
    from used_actions u
    where u.event_date >= cast($since as date)
      and u.event_date <= cast($until as date)
      and u.event_time >= $since
      and u.event_time < $until
      and u.principal_arn is not null
      and u.principal_type in ('role', 'user', 'root')
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
      and (u.action is not null or u.verdict = 'unmapped')
      and u.outcome is distinct from 'denied'
    union all
    select
        s.principal_arn,
        s.event_source,
        s.need['action'] as action,
        s.aws_region,
        false as is_success,
        false as is_taking,
        false as is_routed,
        s.event_time
    from shadows s
    where s.need['action'] is not null
      and s.need['outcome'] is distinct from 'denied'
    union all
    select
        e.request_parameters->>'roleArn' as principal_arn,
        e.event_source,
        cast(null as varchar) as action,
        e.aws_region,
        false as is_success,
        true as is_taking,
        false as is_routed,
        e.event_time
    from recent e
    where e.principal_type = 'service'
      and e.event_source = 'sts.amazonaws.com'
      and e.event_name = 'AssumeRole'
      and coalesce(e.error_code, '') = ''
      and e.request_parameters->>'roleArn' is not null
    union all
    select
        e.principal_arn,
        e.event_source,
        cast(null as varchar) as action,
        e.aws_region,
        false as is_success,
        false as is_taking,
        true as is_routed,
        e.event_time
    from recent e
    where e.event_source = 'bedrock.amazonaws.com'
      and e.principal_arn is not null
      and e.principal_type in ('role', 'user', 'root')
      and coalesce(e.error_code, '') not like 'AccessDenied%'
      and (
          e.additional_event_data->>'inferenceRegion' is not null
          or regexp_like(e.request_parameters->>'modelId', '^(arn:.*inference-profile/|([a-z]{2}|apac|global|us-gov)[.])')
      )
)
select
    m.principal_arn,
    m.event_source,
    m.action,
    m.aws_region,
    m.is_success,
    m.is_taking,
    m.is_routed,
    cast(count(*) as bigint) as calls,
    max(m.event_time) as last_seen
from made m
group by 1, 2, 3, 4, 5, 6, 7
