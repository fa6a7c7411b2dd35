-- rows: 4
SELECT date(from_iso8601_timestamp(eventtime)) AS day, count(*) AS events
FROM cloudtrail_logs
WHERE year(from_iso8601_timestamp(eventtime)) = 2026
GROUP BY date(from_iso8601_timestamp(eventtime))
ORDER BY day;
