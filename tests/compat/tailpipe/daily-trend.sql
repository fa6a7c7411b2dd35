-- rows: 4
select strftime(event_time, '%Y-%m-%d') as event_date, count(*) as event_count
from aws_cloudtrail_log
group by event_date
order by event_date asc;
