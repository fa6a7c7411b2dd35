-- Calls since a moment that succeeded and changed what roles, users and groups may do, each with the first and the last time. A role or
-- instance profile that any call hands over to a service is one that the service may act as from then on.
with changes as (
    select
        e.recipient_account_id as account_id,
        e.event_name as call,
        case
            when e.event_source = 'eks.amazonaws.com' then split_part(e.request_parameters->>'roleArn', '/', -1)
            else e.request_parameters->>'roleName'
        end as role,
        case
            when e.event_name = 'UpdateUser' then e.request_parameters->>'newUserName'
            when e.event_name in (
                'CreateAccessKey', 'UpdateAccessKey', 'CreateServiceSpecificCredential', 'ResetServiceSpecificCredential',
                'UpdateServiceSpecificCredential', 'UploadSigningCertificate', 'UpdateSigningCertificate'
            ) then coalesce(
                e.response_elements->'accessKey'->>'userName',
                e.request_parameters->>'userName',
                e.user_identity_user_name
            )
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
        e.event_time
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
          'TagRole', 'UntagRole', 'TagUser', 'UntagUser',
          'UpdateAssumeRolePolicy', 'AddRoleToInstanceProfile', 'CreateAccessKey', 'UpdateAccessKey',
          'CreateLoginProfile', 'UpdateLoginProfile', 'CreateServiceSpecificCredential', 'ResetServiceSpecificCredential',
          'UpdateServiceSpecificCredential', 'UploadSigningCertificate', 'UpdateSigningCertificate',
          'CreatePodIdentityAssociation', 'UpdatePodIdentityAssociation',
          'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion'
      )
      and coalesce(e.error_code, '') = ''
      and e.recipient_account_id is not null
      and (e.event_name <> 'UpdateUser' or e.request_parameters->>'newUserName' is not null)
      and (e.event_name <> 'UpdateGroup' or e.request_parameters->>'newGroupName' is not null)
      and (
          e.event_name not in ('UpdateAccessKey', 'UpdateServiceSpecificCredential', 'UpdateSigningCertificate')
          or e.request_parameters->>'status' = 'Active'
      )
      and (e.event_name <> 'UpdatePodIdentityAssociation' or e.request_parameters->>'roleArn' is not null)
      -- The root user has keys, a password and certificates as well; records of these name nobody.
      and (
          e.event_name not in (
              'CreateAccessKey', 'UpdateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile',
              'CreateServiceSpecificCredential', 'ResetServiceSpecificCredential', 'UpdateServiceSpecificCredential',
              'UploadSigningCertificate', 'UpdateSigningCertificate'
          )
          or coalesce(e.user_identity_type, '') <> 'Root'
          or e.response_elements->'accessKey'->>'userName' is not null
          or e.request_parameters->>'userName' is not null
      )
),
handed_over as (
    select
        unnest(e.passed_role_arns) as arn,
        e.event_time
    from events e
    where e.event_date >= cast($since as date)
      and e.event_time >= $since
      and e.passed_role_arns is not null
      and coalesce(e.error_code, '') = ''
    union all
    -- Requests in which the facts look for no role.
    select
        unnest(case e.event_name
            when 'SetIdentityPoolRoles' then make_array(
                e.request_parameters->'roles'->>'authenticated',
                e.request_parameters->'roles'->>'unauthenticated'
            )
            when 'AssociateIamInstanceProfile' then make_array(
                e.request_parameters->'AssociateIamInstanceProfileRequest'->'IamInstanceProfile'->>'Arn',
                concat(
                    'arn:aws:iam::',
                    e.recipient_account_id,
                    ':instance-profile/',
                    e.request_parameters->'AssociateIamInstanceProfileRequest'->'IamInstanceProfile'->>'Name'
                )
            )
            when 'ReplaceIamInstanceProfileAssociation' then make_array(
                e.request_parameters->'ReplaceIamInstanceProfileAssociationRequest'->'IamInstanceProfile'->>'Arn',
                concat(
                    'arn:aws:iam::',
                    e.recipient_account_id,
                    ':instance-profile/',
                    e.request_parameters->'ReplaceIamInstanceProfileAssociationRequest'->'IamInstanceProfile'->>'Name'
                )
            )
            else string_to_array(translate(e.request_parameters->>'roleArns', '[]" ', ''), ',')
        end) as arn,
        e.event_time
    from events e
    where e.event_date >= cast($since as date)
      and e.event_time >= $since
      and e.event_source in ('cognito-identity.amazonaws.com', 'ec2.amazonaws.com', 'rolesanywhere.amazonaws.com')
      and e.event_name in (
          'SetIdentityPoolRoles', 'AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation',
          'CreateProfile', 'UpdateProfile'
      )
      and coalesce(e.error_code, '') = ''
),
named as (
    select
        c.*
    from changes c
    union all
    select
        split_part(h.arn, ':', 5) as account_id,
        case when split_part(h.arn, ':', 6) like 'instance-profile/%' then 'PassInstanceProfile' else 'PassRole' end as call,
        split_part(h.arn, '/', -1) as role,
        cast(null as varchar) as user_name,
        cast(null as varchar) as group_name,
        cast(null as varchar) as policy_name,
        cast(null as varchar) as policy_arn,
        h.event_time
    from handed_over h
    where split_part(h.arn, ':', 6) like 'role/%'
       or split_part(h.arn, ':', 6) like 'instance-profile/%'
)
select
    n.account_id,
    n.call,
    n.role,
    n.user_name,
    n.group_name,
    n.policy_name,
    n.policy_arn,
    min(n.event_time) as first_changed,
    max(n.event_time) as last_changed
from named n
group by 1, 2, 3, 4, 5, 6, 7
order by 1, 2, 3, 4, 5, 6, 7
