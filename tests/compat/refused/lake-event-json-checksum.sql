-- fails: there is no column `eventjsonchecksum`
-- listed: eventJsonChecksum
SELECT eventID, eventJsonChecksum FROM cloudtrail_logs
