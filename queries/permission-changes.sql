-- @id        permission-changes
-- @title     Changes of accounts and permissions
-- @question  Who changed users, roles, groups, keys, policies or assignments, what, when and from where, and who tried in vain?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @column    event_time timestamp  When the call was made.
-- @column    recipient_account_id utf8  Account whose permissions were to change.
-- @column    kind utf8  `credential`, `principal`, `policy`, `trust`, `organization` or `identity-center`.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    event_name utf8  API operation.
-- @column    subject utf8  User, role, group, policy or account that the request names.
-- @column    policy utf8  Policy that is attached, detached, written or deleted.
-- @column    principal_arn utf8  Who made the change; the session name is removed.
-- @column    session_name utf8  Role session name; a person's name under Identity Center.
-- @column    source_ip_address utf8  Address or service name.
-- @column    error_code utf8  Error, when the call failed.
-- @column    event_id utf8  The record.
-- @severity  low
-- @identity  recipient_account_id, kind, event_source, event_name, subject, policy, principal_arn
-- @control   soc2:CC6.2
-- @control   soc2:CC6.3
-- @control   iso27001:A.5.18
-- @caveat    Policies of resources (buckets, keys, queues) are changed by the calls of their services and are not shown.
-- @caveat    A request that AWS omitted because it was too large names no subject.
select
    e.event_time,
    e.recipient_account_id,
    case
        when e.event_source in ('sso.amazonaws.com', 'sso-directory.amazonaws.com', 'identitystore.amazonaws.com') then 'identity-center'
        when e.event_source = 'organizations.amazonaws.com' then 'organization'
        when e.event_name in ('UpdateAssumeRolePolicy') then 'trust'
        when e.event_name like '%Polic%' or e.event_name like '%PermissionsBoundary' then 'policy'
        when e.event_name like '%Key' or e.event_name like '%LoginProfile' or e.event_name like '%MFADevice'
            or e.event_name like '%Credential' or e.event_name like '%Certificate' or e.event_name like '%Password%' then 'credential'
        else 'principal'
    end as kind,
    e.event_source,
    e.event_name,
    coalesce(
        e.request_parameters->>'roleName',
        e.request_parameters->>'userName',
        e.request_parameters->>'groupName',
        e.request_parameters->>'instanceProfileName',
        e.request_parameters->>'targetId',
        e.request_parameters->>'accountId',
        e.request_parameters->>'principalId'
    ) as subject,
    coalesce(
        e.request_parameters->>'policyArn',
        e.request_parameters->>'policyName',
        e.request_parameters->>'policyId',
        e.request_parameters->>'permissionSetArn'
    ) as policy,
    e.principal_arn,
    e.session_name,
    e.source_ip_address,
    nullif(e.error_code, '') as error_code,
    e.event_id
from events e
where not coalesce(e.read_only, false)
  and (e.event_category is null or e.event_category = 'Management')
  and (
      (
          e.event_source = 'iam.amazonaws.com'
          and e.event_name not like 'Generate%'
          and e.event_name not like 'Simulate%'
          and e.event_name not like 'Get%'
          and e.event_name not like 'List%'
      )
      or (
          e.event_source = 'organizations.amazonaws.com'
          and e.event_name in (
              'AttachPolicy', 'DetachPolicy', 'CreatePolicy', 'UpdatePolicy', 'DeletePolicy', 'EnablePolicyType',
              'DisablePolicyType', 'MoveAccount', 'RemoveAccountFromOrganization', 'LeaveOrganization',
              'RegisterDelegatedAdministrator', 'DeregisterDelegatedAdministrator'
          )
      )
      or (
          e.event_source = 'sso.amazonaws.com'
          and (e.event_name like '%PermissionSet%' or e.event_name like '%AccountAssignment%')
          and e.event_name not like 'Describe%'
          and e.event_name not like 'List%'
      )
      or (
          e.event_source in ('sso-directory.amazonaws.com', 'identitystore.amazonaws.com')
          and (
              e.event_name like 'Create%' or e.event_name like 'Delete%' or e.event_name like 'Update%'
              or e.event_name like 'Add%' or e.event_name like 'Remove%' or e.event_name like 'Disable%'
              or e.event_name like 'Enable%'
          )
      )
  )
  and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
  and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
order by e.event_time, e.recipient_account_id, e.event_id, e.event_name
