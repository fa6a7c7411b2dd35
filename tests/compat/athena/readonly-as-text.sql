-- rows: 3
SELECT eventname, count(*) FROM cloudtrail_logs WHERE readonly = 'false' GROUP BY eventname;
