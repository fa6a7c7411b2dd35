-- rows: 1
select user_identity.arn as user_arn, source_ip_address, count(*) as seen, date_trunc('day', event_time) as day
from aws_cloudtrail_log
where source_ip_address not like '%.amazonaws.com'
  and source_ip_address not in (select source_ip_address from aws_cloudtrail_log where source_ip_address = '198.51.100.7')
group by user_identity.arn, source_ip_address, day
having seen > 5
order by seen desc;
