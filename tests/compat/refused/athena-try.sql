-- fails: there is no function `try`
-- listed: try(…)
SELECT try(json_extract_scalar(requestparameters, '$.bucketName')) FROM cloudtrail_logs;
