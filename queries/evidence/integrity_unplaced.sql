-- Objects that gave events to the store though their names do not say of which account and region they are, by the time of these.
select
    o.first_event_time,
    o.last_event_time,
    cast(count(distinct o.object_key) as bigint) as objects
from objects o
where (o.account_id is null or o.region is null)
  and o.stored > 0
group by 1, 2
order by 1, 2
