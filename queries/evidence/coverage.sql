-- What the logs of every account hold in a window: which sources, which kinds of events, in which regions, on which days.
-- What EventBridge passed on and LookupEvents found is left out: both leave out events. `$has_excerpts` says whether there is
-- any. A data event counts by the types of its resources; a record names three of them at most.
with excerpts as (
    select
        o.object_key
    from objects o
    where cast($has_excerpts as boolean)
      and o.kind = 'excerpt'
    group by 1
)
select
    e.recipient_account_id as account_id,
    e.serving_region as region,
    e.aws_region as recorded_in,
    e.event_source,
    coalesce(e.event_category, 'Management') as category,
    e.read_only,
    case when e.event_category = 'Data' then e.resources[1]['type'] end as first_type,
    case when e.event_category = 'Data' then e.resources[2]['type'] end as second_type,
    case when e.event_category = 'Data' then e.resources[3]['type'] end as third_type,
    min(e.event_time) as first_event,
    max(e.event_time) as last_event,
    cast(count(*) as bigint) as events,
    array_agg(distinct cast(cast(e.event_date as int) as bigint)) as days
from excerpts x
right anti join events e
  on x.object_key = e.object_key
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.recipient_account_id is not null
  and (e.event_category is null or e.event_category in ('Management', 'Data'))
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
