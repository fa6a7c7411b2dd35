-- Digests and logs of an account that were delivered around a window, as far as they are there. A digest may be of the day after
-- the logs that it names.
select
    o.object_key,
    o.region,
    o.digest_text
from objects o
where o.account_id = $account
  and o.region is not null
  and o.state not in ('unreadable', 'vanished')
  and o.delivery_date >= cast($since as date) - interval '2 days'
  and o.delivery_date <= cast($until as date) + interval '2 days'
