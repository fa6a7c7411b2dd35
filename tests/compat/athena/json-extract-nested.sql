-- rows: 1
SELECT json_extract_scalar(responseelements, '$.accessKey.accessKeyId') AS access_key_id
FROM cloudtrail_logs
WHERE eventsource = 'iam.amazonaws.com' AND json_extract(responseelements, '$.accessKey') IS NOT NULL;
