-- Objects that gave events to the store though their names do not say of which account and region they are.
select
    cast(count(distinct o.object_key) as bigint) as objects
from objects o
where (o.account_id is null or o.region is null)
  and o.stored > 0
