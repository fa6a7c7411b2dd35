-- rows: 2
SELECT date_trunc('day', from_iso8601_timestamp(eventtime)) AS day, count(*) AS events
FROM cloudtrail_logs
WHERE from_iso8601_timestamp(eventtime) >= from_iso8601_timestamp('2026-10-03T00:00:00Z')
GROUP BY 1
ORDER BY 1;
