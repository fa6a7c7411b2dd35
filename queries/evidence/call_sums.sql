-- Calls of users, roles and root users in a window that were not denied, by principal, action and region. Calls that needed
-- no permission are left out.
select
    u.principal_arn,
    u.event_source,
    u.action,
    u.aws_region,
    u.outcome = 'succeeded' as is_success,
    cast(count(*) as bigint) as calls,
    max(u.event_time) as last_seen
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
group by 1, 2, 3, 4, 5
