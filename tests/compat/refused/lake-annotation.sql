-- fails: there is no column `annotation`
-- listed: annotation
SELECT eventID, annotation FROM cloudtrail_logs
