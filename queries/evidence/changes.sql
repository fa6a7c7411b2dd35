-- Calls since a moment that succeeded and changed what roles, users and groups may do, each with the last time.
select
    e.recipient_account_id as account_id,
    e.event_name as call,
    case
        when e.event_source = 'eks.amazonaws.com' then split_part(e.request_parameters->>'roleArn', '/', -1)
        else e.request_parameters->>'roleName'
    end as role,
    case
        when e.event_name = 'UpdateAccessKey' then coalesce(e.request_parameters->>'userName', e.user_identity_user_name)
        when e.event_name = 'UpdateUser' then e.request_parameters->>'newUserName'
        when e.event_name = 'CreateAccessKey' then e.response_elements->'accessKey'->>'userName'
        else e.request_parameters->>'userName'
    end as user_name,
    case
        when e.event_name = 'UpdateGroup' then e.request_parameters->>'newGroupName'
        else e.request_parameters->>'groupName'
    end as group_name,
    e.request_parameters->>'policyName' as policy_name,
    case
        when e.event_name = 'CreatePolicy' then e.response_elements->'policy'->>'arn'
        else e.request_parameters->>'policyArn'
    end as policy_arn,
    max(e.event_time) as last_changed
from events e
where e.event_date >= cast($since as date)
  and e.event_time >= $since
  and e.event_source in ('iam.amazonaws.com', 'eks.amazonaws.com')
  and e.event_name in (
      'PutRolePolicy', 'DeleteRolePolicy', 'AttachRolePolicy', 'DetachRolePolicy',
      'PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary', 'CreateRole',
      'PutUserPolicy', 'DeleteUserPolicy', 'AttachUserPolicy', 'DetachUserPolicy',
      'PutUserPermissionsBoundary', 'DeleteUserPermissionsBoundary', 'CreateUser', 'UpdateUser',
      'PutGroupPolicy', 'DeleteGroupPolicy', 'AttachGroupPolicy', 'DetachGroupPolicy',
      'AddUserToGroup', 'RemoveUserFromGroup', 'UpdateGroup',
      'UpdateAssumeRolePolicy', 'AddRoleToInstanceProfile', 'CreateAccessKey', 'UpdateAccessKey', 'CreateLoginProfile',
      'CreatePodIdentityAssociation', 'UpdatePodIdentityAssociation',
      'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion'
  )
  and coalesce(e.error_code, '') = ''
  and e.recipient_account_id is not null
  and (e.event_name <> 'UpdateUser' or e.request_parameters->>'newUserName' is not null)
  and (e.event_name <> 'UpdateGroup' or e.request_parameters->>'newGroupName' is not null)
  and (e.event_name <> 'UpdateAccessKey' or e.request_parameters->>'status' = 'Active')
  and (e.event_name <> 'UpdatePodIdentityAssociation' or e.request_parameters->>'roleArn' is not null)
  and (e.event_name <> 'CreateAccessKey' or e.response_elements->'accessKey'->>'userName' is not null)
group by 1, 2, 3, 4, 5, 6, 7
order by 1, 2, 3, 4, 5, 6, 7
