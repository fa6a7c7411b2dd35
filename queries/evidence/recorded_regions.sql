-- Regions from which objects of a trail, digests too, were delivered in a window, by account.
select distinct o.account_id, o.region
from objects o
where o.account_id is not null
  and o.region is not null
  and o.delivery_date >= cast($since as date)
  and o.delivery_date <= cast($until as date)
order by 1, 2
