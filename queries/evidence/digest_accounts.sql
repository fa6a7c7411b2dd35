-- Accounts of which digests were delivered around a window.
select distinct
    o.account_id
from objects o
where o.account_id is not null
  and o.region is not null
  and o.digest_text is not null
  and o.delivery_date >= cast($since as date) - interval '2 days'
  and o.delivery_date <= cast($until as date) + interval '2 days'
order by o.account_id
