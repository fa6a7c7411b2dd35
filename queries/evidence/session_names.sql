-- The newest names of sessions of every role in a window, and how many there are, as the trail of its own account recorded them.
with named as (
    select
        e.principal_arn,
        e.session_issuer_principal_id as principal_id,
        e.session_name,
        count(*) as calls,
        max(e.event_time) as last_seen
    from events e
    where e.event_date >= cast($since as date)
      and e.event_date <= cast($until as date)
      and e.event_time >= $since
      and e.event_time < $until
      and e.principal_type = 'role'
      and e.session_name is not null
      and e.recipient_account_id = split_part(e.principal_arn, ':', 5)
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
    group by 1, 2, 3
),
numbered as (
    select
        n.*,
        row_number() over (
            partition by n.principal_arn, n.principal_id
            order by n.last_seen desc, n.session_name
        ) as position,
        count(*) over (partition by n.principal_arn, n.principal_id) as names
    from named n
)
select
    n.principal_arn,
    n.principal_id,
    n.session_name,
    cast(n.calls as bigint) as calls,
    n.last_seen,
    cast(n.names as bigint) as names
from numbered n
where n.position <= 20
