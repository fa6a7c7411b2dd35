-- Accounts with events that EventBridge passed on or LookupEvents found, in a window. The objects stand on the side of the
-- join that is kept in memory.
with excerpts as (
    select
        o.object_key
    from objects o
    where o.kind = 'excerpt'
    group by 1
)
select
    e.recipient_account_id as account_id
from excerpts x
join events e
  on x.object_key = e.object_key
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.recipient_account_id is not null
group by 1
order by 1
