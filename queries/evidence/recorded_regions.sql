-- Regions from which objects of a trail, digests too, were delivered in a window, by account, with the days.
select
    o.account_id,
    o.region,
    array_agg(distinct cast(date_part('epoch', cast(o.delivery_date as timestamp)) / 86400 as bigint)) as days
from objects o
where o.account_id is not null
  and o.region is not null
  and o.delivery_date >= cast($since as date)
  and o.delivery_date <= cast($until as date)
group by o.account_id, o.region
order by o.account_id, o.region
