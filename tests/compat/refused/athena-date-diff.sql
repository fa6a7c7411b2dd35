-- fails: there is no function `date_diff`
-- listed: date_diff('hour', a, b)
SELECT date_diff('hour', from_iso8601_timestamp(eventtime), now()) FROM cloudtrail_logs;
