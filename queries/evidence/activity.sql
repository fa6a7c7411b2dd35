-- Calls of every role and user by day, in a window, as the trail of its own account recorded them.
with counted as (
    -- Whole days.
    select
        u.principal_arn,
        u.principal_id,
        u.day,
        u.events as calls
    from usage u
    where u.day >= cast($since as date)
      and (u.day > cast($since as date) or $since = date_trunc('day', $since))
      and u.day < cast($until as date)
      and u.principal_type in ('role', 'user')
      and u.recipient_account_id = split_part(u.principal_arn, ':', 5)
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
    union all
    -- The days that the window begins and ends in.
    select
        e.principal_arn,
        coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1)) as principal_id,
        e.event_date as day,
        cast(1 as bigint) as calls
    from events e
    where (
          (e.event_date = cast($since as date) and $since <> date_trunc('day', $since))
          or e.event_date = cast($until as date)
      )
      and e.event_time >= $since
      and e.event_time < $until
      and e.principal_type in ('role', 'user')
      and e.recipient_account_id = split_part(e.principal_arn, ':', 5)
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and (e.event_type is null or e.event_type <> 'AwsServiceEvent')
)
select
    c.principal_arn,
    c.principal_id,
    cast(c.day as int) as day,
    cast(sum(c.calls) as bigint) as calls
from counted c
group by 1, 2, 3
