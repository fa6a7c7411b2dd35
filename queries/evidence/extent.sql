-- The first and the last moment of API use in the store.
select
    min(e.event_time) as first_event,
    max(e.event_time) as last_event
from events e
where e.event_category is null
   or e.event_category in ('Management', 'Data')
