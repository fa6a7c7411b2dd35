-- rows: 2
/* Thursday is 4; the rest of the formatting is as Lake's editor leaves it. */
SELECT
    day_of_week(eventTime
    ) as weekday, hour(eventTime) / 12 as half, COUNT(*
    ) as eventCount
FROM
    cloudtrail_logs
WHERE
    eventTime > '2026-10-01 00:00:00'
    AND eventTime < '2026-10-04 00:00:00'
    AND eventCategory = 'Data'
    AND day_of_week(eventTime) >= 4
GROUP
    BY day_of_week(eventTime
    ), hour(eventTime) / 12 ORDER BY day_of_week(eventTime
    )
