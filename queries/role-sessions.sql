-- @id        role-sessions
-- @title     Role sessions
-- @question  Who assumed which role, how, how often, and with which safeguards?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @param     role utf8?  Only this role: its ARN.
-- @column    role_arn utf8  Role as the request names it; for a refused call with an empty request, from the error message.
-- @column    caller utf8  Who assumed it: role, user, service, account or federated user.
-- @column    caller_type utf8  role, user, root, service, account, federated, identity-center-user or unknown.
-- @column    event_name utf8  How: AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity or AssumeRoot.
-- @column    identity_provider utf8  Provider of the web identity or SAML assertion.
-- @column    recipient_account_id utf8  Account that recorded the calls.
-- @column    sessions int64  Sessions that were granted.
-- @column    refused int64  Calls that ended with an error.
-- @column    session_names int64  Distinct session names.
-- @column    with_external_id int64  Sessions whose request carried an external id.
-- @column    with_mfa int64  Sessions whose request carried an MFA device.
-- @column    with_source_identity int64  Sessions whose request set a source identity.
-- @column    first_seen timestamp  First call in the window.
-- @column    last_seen timestamp  Last call in the window.
-- @control   soc2:CC6.1
-- @control   iso27001:A.5.16
-- @caveat    A session across accounts is recorded in both, with different callers: the copy of the role's account names only the caller's account.
-- @caveat    EC2 instance profiles, Lambda and other services assume roles as a service; who started the instance is in other events.
with requests as (
    select
        coalesce(
            e.request_parameters->>'roleArn',
            e.request_parameters->>'targetPrincipal',
            nullif(split_part(split_part(e.error_message, 'on resource: ', 2), ' ', 1), '')
        ) as role_arn,
        e.principal_arn as caller,
        e.principal_type as caller_type,
        e.event_name,
        e.user_identity_identity_provider as identity_provider,
        e.recipient_account_id,
        e.request_parameters->>'roleSessionName' as session_name,
        case when e.error_code is null or e.error_code = '' then 1 else 0 end as granted,
        case when nullif(e.request_parameters->>'externalId', '') is not null then 1 else 0 end as has_external_id,
        case when nullif(e.request_parameters->>'serialNumber', '') is not null then 1 else 0 end as has_mfa,
        case when nullif(e.request_parameters->>'sourceIdentity', '') is not null then 1 else 0 end as has_source_identity,
        e.event_time
    from events e
    where e.event_source = 'sts.amazonaws.com'
      and e.event_name in ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'AssumeRoot')
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
      and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
)
select
    role_arn,
    caller,
    caller_type,
    event_name,
    identity_provider,
    recipient_account_id,
    sum(granted) as sessions,
    sum(1 - granted) as refused,
    count(distinct session_name) as session_names,
    sum(granted * has_external_id) as with_external_id,
    sum(granted * has_mfa) as with_mfa,
    sum(granted * has_source_identity) as with_source_identity,
    min(event_time) as first_seen,
    max(event_time) as last_seen
from requests
where $role is null or role_arn = $role
group by role_arn, caller, caller_type, event_name, identity_provider, recipient_account_id
order by role_arn, caller, event_name, recipient_account_id, identity_provider, caller_type
