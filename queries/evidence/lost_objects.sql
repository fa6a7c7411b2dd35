-- Objects of the logs that could not be read whole, or were gone when they were to be read, each as the last run that tried
-- found it: by account and day, as far as their names say these.
with numbered as (
    select
        o.account_id,
        o.delivery_date,
        o.state,
        row_number() over (
            partition by o.object_key
            order by o.ingested_at desc, o.etag desc, o.size desc
        ) as place
    from objects o
)
select
    n.account_id,
    cast(date_part('epoch', cast(n.delivery_date as timestamp)) / 86400 as bigint) as day,
    cast(count(*) as bigint) as objects
from numbered n
where n.place = 1
  and n.state in ('corrupt', 'partial', 'unreadable', 'vanished')
group by 1, 2
order by 1, 2
