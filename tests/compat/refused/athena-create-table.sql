-- fails: `sql` only reads
-- listed: create table
CREATE TABLE calls AS SELECT eventname, count(*) AS calls FROM cloudtrail_logs GROUP BY eventname;
