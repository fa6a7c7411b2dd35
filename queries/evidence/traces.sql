-- What stands behind the uses of chosen principals: one row per call and action that it needed or may have needed, in no order.
-- What failed for another reason than a lack of permission was allowed: its resources count, and it is no evidence of use.
-- `$principals` has one ARN per line and `$ids` one unique id, by which records may name a principal alone; null is all.
select
    u.principal_arn,
    u.principal_id,
    u.action,
    u.is_proven and u.confidence not in ('conflict', 'ambiguous', 'unresolved') as is_used,
    u.outcome = 'failed' as is_failed,
    u.proof = 'passed role' as is_passed_role,
    u.event_source,
    u.event_name,
    u.event_id,
    u.event_time,
    u.serving_region,
    u.vpc_endpoint_id,
    u.via_service,
    u.resources,
    u.resource_origins
from used_actions u
where u.event_date >= cast($since as date)
  and u.event_date <= cast($until as date)
  and u.event_time >= $since
  and u.event_time < $until
  and (
      $principals is null
      or array_has(string_to_array($principals, chr(10)), u.principal_arn)
      or array_has(string_to_array($ids, chr(10)), u.principal_id)
  )
  and (
      u.principal_type in ('role', 'user')
      or (u.principal_type = 'account' and substr(u.principal_id, 1, 4) in ('AROA', 'AIDA'))
  )
  and (u.event_category is null or u.event_category in ('Management', 'Data'))
  and (u.event_type is null or u.event_type <> 'AwsServiceEvent')
  and (
      u.outcome = 'succeeded'
      or (
          u.outcome = 'failed'
          and u.is_proven
          and u.confidence not in ('conflict', 'ambiguous', 'unresolved')
      )
  )
  and u.action is not null
