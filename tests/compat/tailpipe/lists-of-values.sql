-- rows: 2
select event_time, user_identity.arn as user_arn, aws_region, recipient_account_id as account_id
from aws_cloudtrail_log
where aws_region not in ('us-east-1', 'eu-west-1', 'sa-east-1')
  and source_ip_address not in ('203.0.113.1', '203.0.113.2')
order by event_time desc;
