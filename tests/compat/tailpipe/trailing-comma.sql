-- rows: 3
-- DuckDB takes a comma at the end of a list.
select event_source, event_name, count(*) as calls,
from aws_cloudtrail_log
where not read_only
group by event_source, event_name,
order by calls desc, event_name
limit 3;
