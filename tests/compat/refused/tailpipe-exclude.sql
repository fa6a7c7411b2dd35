-- fails: found: exclude
-- listed: select * exclude (a)
select * exclude (request_parameters) from aws_cloudtrail_log;
