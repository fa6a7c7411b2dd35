-- Users, roles and root users that made calls in a window.
select
    e.principal_arn,
    coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1)) as principal_id
from events e
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.principal_arn is not null
  and e.principal_type in ('role', 'user', 'root')
group by 1, 2
order by 1, 2
