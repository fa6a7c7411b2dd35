-- rows: 4
SELECT eventid
FROM cloudtrail_logs
WHERE from_iso8601_timestamp(eventtime) > date_add('day', -9, from_iso8601_timestamp('2026-10-11T12:00:00Z'))
