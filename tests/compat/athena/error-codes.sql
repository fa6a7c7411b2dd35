-- rows: 3
SELECT errorcode, count(*) AS failures, approx_distinct(useridentity.arn) AS callers
FROM cloudtrail_logs
WHERE errorcode IS NOT NULL AND errorcode <> ''
GROUP BY errorcode
ORDER BY failures DESC, errorcode;
