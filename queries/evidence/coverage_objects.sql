-- Logs of management and data events, and digests, each as the last run that read it found it.
with numbered as (
    select
        o.object_key,
        o.account_id,
        o.region,
        o.delivery_date,
        o.kind,
        o.state,
        o.rejected,
        o.ingested_at,
        o.selected_regions,
        row_number() over (
            partition by o.object_key
            order by o.ingested_at desc, o.etag desc, o.size desc
        ) as place
    from objects o
    where o.account_id is not null
      and o.region is not null
)
select
    n.object_key,
    n.account_id,
    n.region,
    cast(date_part('epoch', cast(n.delivery_date as timestamp)) / 86400 as bigint) as day,
    n.kind,
    n.state,
    n.rejected,
    n.ingested_at,
    n.selected_regions
from numbered n
where n.place = 1
