-- rows: 2
SELECT
  json_extract_scalar(additionaleventdata, '$.MFAUsed') AS mfa_used,
  json_extract_scalar(responseelements, '$.ConsoleLogin') AS outcome,
  useridentity.type
FROM cloudtrail_logs
WHERE eventname = 'ConsoleLogin'
ORDER BY eventtime;
