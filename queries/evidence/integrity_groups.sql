-- Accounts and regions of which there are digests or logs, by the names of the objects.
select distinct
    o.account_id,
    o.region
from objects o
where o.account_id is not null
  and o.region is not null
  and (o.state not in ('unreadable', 'vanished') or o.stored > 0)
order by o.account_id, o.region
