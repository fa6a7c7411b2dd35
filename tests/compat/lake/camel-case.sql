-- rows: 6
SELECT eventSource, eventName, COUNT(*) AS apiCount
FROM cloudtrail_logs
WHERE userIdentity.arn LIKE '%:user/ann'
   OR userIdentity.type = 'Root'
GROUP BY eventSource, eventName
ORDER BY apiCount DESC, eventName
