-- fails: Unsupported SQL type map(varchar, varchar)
-- listed: cast(json_extract(…) as map(varchar, varchar))
SELECT cast(json_extract(requestparameters, '$.tags') AS map(varchar, varchar)) FROM cloudtrail_logs;
