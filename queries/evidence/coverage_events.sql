-- Events by account, region that recorded them and hour, in a window.
select
    e.recipient_account_id as account_id,
    e.aws_region as region,
    cast(e.event_time as bigint) / 3600000000 as hour,
    cast(count(*) as bigint) as events,
    min(e.event_time) as first_event,
    max(e.event_time) as last_event
from events e
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.recipient_account_id is not null
  and e.aws_region is not null
  and (e.event_category is null or e.event_category in ('Management', 'Data'))
group by 1, 2, 3
order by 1, 2, 3
