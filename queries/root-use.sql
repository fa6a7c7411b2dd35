-- @id        root-use
-- @title     Use of root users
-- @question  Which accounts were used as root, for what, when and from where?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @column    event_time timestamp  When the call was made.
-- @column    recipient_account_id utf8  Account that was used as root.
-- @column    credential utf8  `root user`, or `root session` when a management account assumed root of a member account.
-- @column    credential_kind utf8  console, long-term (a root access key), temporary or none.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    event_name utf8  API operation.
-- @column    mfa_authenticated bool  Whether the session was signed in with MFA; null when the record does not say.
-- @column    source_ip_address utf8  Address or service name.
-- @column    user_agent utf8  Client, as it calls itself.
-- @column    aws_region utf8  Region of the record.
-- @column    error_code utf8  Error, when the call failed.
-- @column    event_id utf8  The record.
-- @severity  high
-- @identity  recipient_account_id, credential, event_source, event_name
-- @control   soc2:CC6.1
-- @control   iso27001:A.8.2
-- @caveat    Calls that a service makes in root's name, such as those of Auto Scaling, are not use of root and are left out.
-- @caveat    Failed sign-ins are attempts, not use; `console-logins` lists them.
select
    e.event_time,
    e.recipient_account_id,
    case when e.session_assumed_root then 'root session' else 'root user' end as credential,
    e.credential_kind,
    e.event_source,
    e.event_name,
    coalesce(
        e.session_mfa_authenticated,
        case (e.additional_event_data->>'MFAUsed') when 'Yes' then true when 'No' then false end
    ) as mfa_authenticated,
    e.source_ip_address,
    e.user_agent,
    e.aws_region,
    nullif(e.error_code, '') as error_code,
    e.event_id
from events e
where e.principal_type = 'root'
  and e.user_identity_invoked_by is null
  and (e.event_category is null or e.event_category in ('Management', 'Data'))
  and (e.event_type is null or e.event_type <> 'AwsServiceEvent')
  and (e.event_name <> 'ConsoleLogin' or (e.response_elements->>'ConsoleLogin') is distinct from 'Failure')
  and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
  and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
order by e.event_time, e.recipient_account_id, e.event_id, e.aws_region
