-- Regions from which logs of a trail were delivered in a window and read, by account, with the days. What digests show is left
-- to `digests_and_logs.sql`.
select
    o.account_id,
    o.region,
    array_agg(distinct cast(date_part('epoch', cast(o.delivery_date as timestamp)) / 86400 as bigint)) as days
from objects o
where o.account_id is not null
  and o.region is not null
  and o.kind = 'events'
  and o.state in ('ingested', 'partial')
  and o.delivery_date >= cast($since as date)
  and o.delivery_date <= cast($until as date)
group by o.account_id, o.region
order by o.account_id, o.region
