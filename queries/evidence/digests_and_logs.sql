-- Digests and logs of an account that were delivered around a window, and whether they are there. A digest may be of the day after
-- the logs that it names.
select
    o.object_key,
    o.region,
    o.digest_text,
    o.state not in ('unreadable', 'vanished') as is_there
from objects o
where o.account_id = $account
  and o.region is not null
  and o.delivery_date >= cast($since as date) - interval '2 days'
  and o.delivery_date <= cast($until as date) + interval '2 days'
