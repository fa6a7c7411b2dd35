-- rows: 1
SELECT useridentity.sessioncontext.sessionissuer.arn AS role_arn, COUNT(*) AS calls
FROM cloudtrail_logs
WHERE useridentity.sessioncontext.sessionissuer.type = 'Role'
  AND eventsource = 's3.amazonaws.com'
GROUP BY useridentity.sessioncontext.sessionissuer.arn
ORDER BY calls DESC;
