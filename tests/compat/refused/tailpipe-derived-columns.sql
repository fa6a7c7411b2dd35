-- fails: there is no column `tp_ips`
-- listed: tp_ips
select tp_ips from aws_cloudtrail_log;
