-- fails: OuterReferenceColumn
-- listed: from logs cross join unnest(resources) as t(resource)
SELECT eventname, resource.arn FROM cloudtrail_logs CROSS JOIN UNNEST(resources) AS t(resource);
