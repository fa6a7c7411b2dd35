-- Kubernetes service accounts that took roles in a window, by the subjects of their tokens.
select distinct
    e.request_parameters->>'roleArn' as role_arn,
    e.user_identity_user_name as subject
from events e
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.event_source = 'sts.amazonaws.com'
  and e.event_name = 'AssumeRoleWithWebIdentity'
  and e.error_code is null
  and e.user_identity_user_name like 'system:serviceaccount:%'
order by 1, 2
