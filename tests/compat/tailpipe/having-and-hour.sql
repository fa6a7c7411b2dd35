-- rows: 2
select user_identity.arn as user_arn, count(*) as calls, date_trunc('hour', event_time) as hour
from aws_cloudtrail_log
where event_source = 'sts.amazonaws.com'
group by user_identity.arn, hour
having count(*) > 0
order by hour desc, calls desc;
