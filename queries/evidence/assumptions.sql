-- Roles that were taken in a window, with the first and last time, and the Kubernetes service accounts that took them, by the
-- subjects of their tokens. A role may be taken for calls that leave no event in this trail.
select
    e.request_parameters->>'roleArn' as role_arn,
    case
        when e.event_name = 'AssumeRoleWithWebIdentity' and e.user_identity_user_name like 'system:serviceaccount:%'
            then e.user_identity_user_name
    end as subject,
    min(e.event_time) as first_taken,
    max(e.event_time) as last_taken
from events e
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.event_source = 'sts.amazonaws.com'
  and e.event_name in ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
  and coalesce(e.error_code, '') = ''
group by 1, 2
order by 1, 2
