-- fails: there is no column `r`
-- listed: any_match(list, x -> …)
SELECT eventname FROM cloudtrail_logs WHERE any_match(resources, r -> r.type = 'AWS::S3::Bucket');
