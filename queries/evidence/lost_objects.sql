-- Objects of the logs that could not be read whole, or were gone when they were to be read, each as the last run that tried
-- found it: by account and day, as far as their names say these. A digest that cannot be read holds no events.
with doubtful as (
    select
        o.object_key
    from objects o
    where o.state in ('corrupt', 'limited', 'partial', 'unreadable', 'vanished')
      and o.object_key not like '%/CloudTrail-Digest/%'
    group by 1
),
numbered as (
    select
        o.account_id,
        o.delivery_date,
        o.state,
        row_number() over (
            partition by o.object_key
            order by o.ingested_at desc, o.etag desc, o.size desc
        ) as place
    from doubtful d
    join objects o
      on o.object_key = d.object_key
)
select
    n.account_id,
    cast(date_part('epoch', cast(n.delivery_date as timestamp)) / 86400 as bigint) as day,
    cast(count(*) as bigint) as objects
from numbered n
where n.place = 1
  and n.state in ('corrupt', 'limited', 'partial', 'unreadable', 'vanished')
group by 1, 2
order by 1, 2
