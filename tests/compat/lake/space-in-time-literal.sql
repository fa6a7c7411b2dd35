-- rows: 18
/* The whole of the last day belongs to the window, as in Lake, where times are no text. */
SELECT eventTime, eventName FROM cloudtrail_logs
WHERE eventTime >= '2026-10-02 00:00:00' AND eventTime <= '2026-10-02 23:59:59'
