-- fails: there is no column `eventjson`
-- listed: eventJson
SELECT json_extract_scalar(eventJson, '$.requestParameters.name') FROM cloudtrail_logs WHERE eventName = 'GetParameter'
