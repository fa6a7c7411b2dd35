-- Objects of the logs that could not be read whole, by account and day.
select
    o.account_id,
    cast(date_part('epoch', cast(o.delivery_date as timestamp)) / 86400 as bigint) as day,
    cast(count(*) as bigint) as objects
from objects o
where o.state in ('corrupt', 'partial', 'unreadable')
  and o.account_id is not null
  and o.delivery_date is not null
group by 1, 2
order by 1, 2
