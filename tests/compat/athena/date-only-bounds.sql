-- rows: 5
SELECT eventid FROM cloudtrail_logs WHERE eventtime BETWEEN '2026-10-01' AND '2026-10-02'
