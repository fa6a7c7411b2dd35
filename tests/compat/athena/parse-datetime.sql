-- rows: 18
SELECT eventname, json_extract_scalar(requestparameters, '$.bucketName') AS bucket
FROM cloudtrail_logs
WHERE parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''')
  BETWEEN parse_datetime('2026-10-02:00:00:00', 'yyyy-MM-dd:HH:mm:ss')
  AND date_parse('2026-10-02 23:59:59', '%Y-%m-%d %H:%i:%s');
