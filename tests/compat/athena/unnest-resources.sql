-- rows: 4
SELECT resource.arn, count(*) AS calls
FROM (SELECT unnest(resources) AS resource FROM cloudtrail_logs WHERE eventsource = 's3.amazonaws.com') AS s3_calls
GROUP BY resource.arn
ORDER BY resource.arn;
