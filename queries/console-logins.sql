-- @id        console-logins
-- @title     Console sign-ins
-- @question  Who signed in to the console, with MFA or without, from where, and who failed to?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @column    event_time timestamp  When the sign-in was made.
-- @column    recipient_account_id utf8  Account that was signed in to.
-- @column    principal_arn utf8  Role, user or root user; the session name is removed.
-- @column    user_identity_type utf8  IAMUser, Root, AssumedRole, SAMLUser and so on.
-- @column    session_name utf8  Role session name; a person's name under Identity Center.
-- @column    outcome utf8  `Success` or `Failure`, as recorded.
-- @column    mfa_used bool  Whether AWS itself asked for MFA; null when the record does not say.
-- @column    mfa_expected bool  Whether AWS would have been the one to ask: true for IAM users and root.
-- @column    concern utf8  `failed`; `without MFA` where AWS would have been the one to ask; null where there is none.
-- @column    source_ip_address utf8  Address of the browser.
-- @column    user_agent utf8  Browser, as it calls itself.
-- @column    aws_region utf8  Region of the sign-in endpoint.
-- @column    error_message utf8  Why it failed.
-- @column    event_id utf8  The record.
-- @severity  low
-- @identity  recipient_account_id, principal_arn, concern, source_ip_address
-- @finding   concern = failed, without MFA
-- @control   soc2:CC6.1
-- @control   iso27001:A.8.5
-- @caveat    Federated and Identity Center users prove MFA to their identity provider: for them `mfa_used` is false whatever they did.
-- @caveat    The user name of a failed sign-in is hidden by AWS when no such user exists.
select
    e.event_time,
    e.recipient_account_id,
    e.principal_arn,
    e.user_identity_type,
    e.session_name,
    e.response_elements->>'ConsoleLogin' as outcome,
    case (e.additional_event_data->>'MFAUsed') when 'Yes' then true when 'No' then false end as mfa_used,
    coalesce(e.user_identity_type in ('IAMUser', 'Root'), false) as mfa_expected,
    case
        when (e.response_elements->>'ConsoleLogin') is distinct from 'Success' then 'failed'
        when e.user_identity_type in ('IAMUser', 'Root')
            and (e.additional_event_data->>'MFAUsed') is distinct from 'Yes' then 'without MFA'
    end as concern,
    e.source_ip_address,
    e.user_agent,
    e.aws_region,
    e.error_message,
    e.event_id
from events e
where e.event_name = 'ConsoleLogin'
  and e.event_source = 'signin.amazonaws.com'
  and (e.event_category is null or e.event_category in ('Management', 'Data'))
  and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
  and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
order by e.event_time, e.recipient_account_id, e.event_id, e.aws_region
