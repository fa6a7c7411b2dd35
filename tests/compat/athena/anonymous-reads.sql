-- rows: 0
SELECT *
FROM cloudtrail_logs
WHERE eventsource = 's3.amazonaws.com'
  AND eventname in ('GetObject')
  AND useridentity.accountid = 'anonymous'
  AND useridentity.arn IS NULL
  AND requestparameters LIKE '%bucket%';
