-- Whether objects were read that hold events which EventBridge passed on or LookupEvents found.
select
    cast(count(*) as bigint) as objects
from objects o
where o.kind = 'excerpt'
