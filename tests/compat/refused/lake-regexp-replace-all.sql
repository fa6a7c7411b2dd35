-- fails: regexp_replace
-- listed: regexp_replace(text, pattern)
SELECT regexp_replace(element_at(requestParameters, 'roleSessionName'), '-[0-9]+$') FROM cloudtrail_logs
