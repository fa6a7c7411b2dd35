-- @id        secret-reads
-- @title     Secret reads
-- @question  Who read which secret or encrypted parameter, in which session, from where and with what, and who tried in vain?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @param     principal utf8?  Only this principal: ARN of a role or user, without session name.
-- @column    outcome utf8  `read`, `denied`, or `failed` for errors other than a lack of permission.
-- @column    event_time timestamp  When the call was made.
-- @column    principal_arn utf8  Role, user or service; the session name is removed.
-- @column    session_name utf8  Role session name; a person's name under Identity Center.
-- @column    access_key_id utf8  Access key that signed the call.
-- @column    event_source utf8  Secrets Manager, Systems Manager, or KMS when only the decryption was recorded.
-- @column    event_name utf8  API operation.
-- @column    secret utf8  Name, ARN, path or list as it stands in the request; for a denied call with an empty request, from the error message.
-- @column    decrypted utf8  ARNs of the secrets that KMS decrypted for this call, separated by commas.
-- @column    source_ip_address utf8  Address or service name.
-- @column    user_agent utf8  Client, as it calls itself.
-- @column    via_service utf8  Service that made the call on the principal's behalf.
-- @column    recipient_account_id utf8  Account that received the call.
-- @column    aws_region utf8  Region of the record.
-- @column    error_code utf8  Error, when the call failed.
-- @column    event_id utf8  The record.
-- @severity  info
-- @control   soc2:CC6.1
-- @control   iso27001:A.8.5
-- @caveat    A read that a client-side cache or a mounted volume serves leaves no event.
-- @caveat    BatchGetSecretValue records filters, not secrets; which were read shows only in `decrypted`, when they have KMS events.
-- @caveat    Decryptions are matched to a call by principal, access path and time (5 seconds), as no identifier ties the two records.
-- @caveat    Secrets under the AWS managed key `aws/secretsmanager` have KMS events too; those read before the window's start do not count.
with relevant as (
    select
        e.event_id,
        e.event_time,
        e.principal_arn,
        e.session_name,
        e.user_identity_access_key_id as access_key_id,
        e.event_source,
        e.event_name,
        e.source_ip_address,
        e.user_agent,
        e.via_service,
        e.recipient_account_id,
        e.aws_region,
        e.error_code,
        e.error_message,
        e.request_parameters
    from events e
    where e.event_source in ('secretsmanager.amazonaws.com', 'ssm.amazonaws.com', 'kms.amazonaws.com')
      and e.event_name in (
          'GetSecretValue',
          'BatchGetSecretValue',
          'GetParameter',
          'GetParameters',
          'GetParametersByPath',
          'GetParameterHistory',
          'Decrypt'
      )
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
      and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
      and ($principal is null or e.principal_arn = $principal)
),
calls as (
    select
        event_id,
        event_time,
        principal_arn,
        session_name,
        access_key_id,
        event_source,
        event_name,
        coalesce(
            request_parameters->>'secretId',
            request_parameters->>'secretIdList',
            request_parameters->>'filters',
            request_parameters->>'name',
            request_parameters->>'names',
            request_parameters->>'path',
            nullif(split_part(split_part(error_message, 'on resource: ', 2), ' ', 1), '')
        ) as secret,
        event_name not in ('GetSecretValue', 'GetParameter', 'GetParameterHistory') as names_several,
        cast(floor(extract(epoch from event_time) / 10) as bigint) as ten_seconds,
        source_ip_address,
        user_agent,
        via_service,
        recipient_account_id,
        aws_region,
        error_code
    from relevant
    where event_source = 'secretsmanager.amazonaws.com'
       or (
           event_source = 'ssm.amazonaws.com'
           and ((request_parameters->>'withDecryption') = 'true' or error_code is not null)
       )
),
decryptions as (
    select
        event_id,
        event_time,
        principal_arn,
        session_name,
        access_key_id,
        event_source,
        event_name,
        request_parameters->'encryptionContext'->>'SecretARN' as secret_arn,
        request_parameters->'encryptionContext'->>'PARAMETER_ARN' as parameter_arn,
        source_ip_address,
        user_agent,
        via_service,
        recipient_account_id,
        aws_region,
        error_code
    from relevant
    where event_source = 'kms.amazonaws.com'
      and (
          (request_parameters->'encryptionContext'->>'SecretARN') is not null
          or (request_parameters->'encryptionContext'->>'PARAMETER_ARN') is not null
      )
),
-- Each decryption stands in three spans of ten seconds, so that an equality finds all calls within five.
spread_decryptions as (
    select
        d.event_id,
        d.event_time,
        d.principal_arn,
        d.recipient_account_id,
        d.secret_arn,
        d.parameter_arn,
        left(
            split_part(d.secret_arn, ':secret:', 2),
            cast(greatest(length(split_part(d.secret_arn, ':secret:', 2)) - 7, 0) as bigint)
        ) as secret_name,
        split_part(d.parameter_arn, ':parameter/', 2) as parameter_name,
        cast(floor(extract(epoch from d.event_time) / 10) as bigint) + s.shift as ten_seconds
    from decryptions d
    cross join (values (-1), (0), (1)) as s (shift)
    where d.error_code is null
),
pairs as (
    select
        c.event_id as call_id,
        c.recipient_account_id,
        d.event_id as decryption_id,
        coalesce(d.secret_arn, d.parameter_arn) as arn
    from calls c
    inner join spread_decryptions d
        on c.principal_arn = d.principal_arn
        and c.recipient_account_id = d.recipient_account_id
        and c.ten_seconds = d.ten_seconds
    where c.error_code is null
      and d.event_time >= c.event_time - interval '5 seconds'
      and d.event_time <= c.event_time + interval '5 seconds'
      and (
          (c.event_source = 'secretsmanager.amazonaws.com' and d.secret_arn is not null)
          or (c.event_source = 'ssm.amazonaws.com' and d.parameter_arn is not null)
      )
      and (
          c.names_several
          or d.secret_arn = c.secret
          or d.secret_name = c.secret
          or d.parameter_arn = c.secret
          or d.parameter_name = ltrim(c.secret, '/')
      )
),
decrypted_by_call as (
    select
        call_id,
        recipient_account_id,
        string_agg(arn, ',' order by arn) as decrypted
    from (select distinct call_id, recipient_account_id, arn from pairs) as distinct_pairs
    group by call_id, recipient_account_id
),
all_reads as (
    select
        c.event_time,
        c.principal_arn,
        c.session_name,
        c.access_key_id,
        c.event_source,
        c.event_name,
        c.secret,
        p.decrypted,
        c.source_ip_address,
        c.user_agent,
        c.via_service,
        c.recipient_account_id,
        c.aws_region,
        c.error_code,
        c.event_id
    from calls c
    left join decrypted_by_call p
        on c.event_id = p.call_id
        and c.recipient_account_id = p.recipient_account_id
    union all
    select
        d.event_time,
        d.principal_arn,
        d.session_name,
        d.access_key_id,
        d.event_source,
        d.event_name,
        coalesce(d.secret_arn, d.parameter_arn) as secret,
        case when d.error_code is null then coalesce(d.secret_arn, d.parameter_arn) end as decrypted,
        d.source_ip_address,
        d.user_agent,
        d.via_service,
        d.recipient_account_id,
        d.aws_region,
        d.error_code,
        d.event_id
    from decryptions d
    left join (select distinct decryption_id, recipient_account_id from pairs) as matched
        on d.event_id = matched.decryption_id
        and d.recipient_account_id = matched.recipient_account_id
    where matched.decryption_id is null
)
select
    case
        when error_code is null then 'read'
        when error_code like '%AccessDenied%' or error_code like '%Unauthorized%' then 'denied'
        else 'failed'
    end as outcome,
    event_time,
    principal_arn,
    session_name,
    access_key_id,
    event_source,
    event_name,
    secret,
    decrypted,
    source_ip_address,
    user_agent,
    via_service,
    recipient_account_id,
    aws_region,
    error_code,
    event_id
from all_reads
order by outcome desc, event_time, principal_arn, event_id, recipient_account_id
