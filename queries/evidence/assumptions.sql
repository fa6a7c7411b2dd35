-- Roles that were taken in a window, with the first and last time, and the Kubernetes service accounts that took them, by the
-- subjects of their tokens. A role may be taken for calls that leave no event in this trail. Besides STS, EKS Pod Identity, IAM
-- Roles Anywhere and Amazon Cognito give credentials of roles; the answer of the first names the role without its path.
-- The console gives them as well, to who switches roles there. `is_by_others` says that others than STS gave some.
-- `workload_days` are the days on which services, tokens and certificates took it, whose way to the role someone set up.
with taken as (
    select
        case
            when e.event_source = 'cognito-identity.amazonaws.com' then e.request_parameters->>'customRoleArn'
            when e.event_source = 'eks-auth.amazonaws.com' then concat(
                'arn:',
                split_part(e.response_elements->'assumedRoleUser'->>'arn', ':', 2),
                ':iam::',
                split_part(e.response_elements->'assumedRoleUser'->>'arn', ':', 5),
                ':role/',
                split_part(e.response_elements->'assumedRoleUser'->>'arn', '/', 2)
            )
            when e.event_source = 'signin.amazonaws.com' then e.principal_arn
            else e.request_parameters->>'roleArn'
        end as role_arn,
        case
            when e.event_name = 'AssumeRoleWithWebIdentity' and e.user_identity_user_name like 'system:serviceaccount:%'
                then e.user_identity_user_name
        end as subject,
        e.event_source not in ('sts.amazonaws.com', 'signin.amazonaws.com')
            or e.event_name = 'AssumeRoleWithWebIdentity'
            or coalesce(e.user_identity_type, '') = 'AWSService' as is_workload,
        e.event_source <> 'sts.amazonaws.com' as is_by_others,
        e.event_time,
        cast(cast(e.event_date as int) as bigint) as day
    from events e
    where e.event_date >= cast($since as date)
      and e.event_date <= cast($until as date)
      and e.event_time >= $since
      and e.event_time < $until
      and e.event_source in (
          'sts.amazonaws.com', 'eks-auth.amazonaws.com', 'rolesanywhere.amazonaws.com', 'cognito-identity.amazonaws.com',
          'signin.amazonaws.com'
      )
      and e.event_name in (
          'AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity',
          'AssumeRoleForPodIdentity', 'CreateSession', 'GetCredentialsForIdentity', 'SwitchRole'
      )
      -- Who switches leaves a record in the own account, too, which does not say to which role.
      and (
          e.event_name <> 'SwitchRole'
          or (e.principal_type = 'role' and e.additional_event_data->>'SwitchFrom' is not null)
      )
      and coalesce(e.error_code, '') = ''
)
select
    t.role_arn,
    t.subject,
    min(t.event_time) as first_taken,
    max(t.event_time) as last_taken,
    bool_or(t.is_by_others) as is_by_others,
    min(case when t.is_workload then t.event_time end) as first_by_workload,
    array_agg(distinct t.day) filter (where t.is_workload) as workload_days
from taken t
where t.role_arn <> 'arn::iam:::role/'
group by 1, 2
order by 1, 2
