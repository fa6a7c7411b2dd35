-- rows: 1
SELECT
    *
FROM
    cloudtrail_logs
WHERE
    eventsource = 'signin.amazonaws.com'
    AND eventname = 'ConsoleLogin'
    AND Element_at(additionaleventdata, 'MFAUsed'
    ) = 'No'
