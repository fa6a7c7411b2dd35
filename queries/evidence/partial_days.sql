-- Days in a window of which only runs that were told to leave out regions read objects, by account.
select
    o.account_id,
    cast(date_part('epoch', cast(o.delivery_date as timestamp)) / 86400 as bigint) as day
from objects o
where o.account_id is not null
  and o.delivery_date >= cast($since as date)
  and o.delivery_date <= cast($until as date)
group by 1, 2
having bool_and(o.selected_regions is not null)
order by 1, 2
