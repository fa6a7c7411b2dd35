-- rows: 3
SELECT eventSource, eventName, eventTime, eventID, errorCode
FROM cloudtrail_logs
WHERE readOnly = false AND eventTime > '2026-10-01 00:00:00'
