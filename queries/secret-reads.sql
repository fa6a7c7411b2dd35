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
-- @caveat    A BatchGetSecretValue with filters names no secrets: `decrypted` has all that its session decrypted within 5 seconds and no other call named.
-- @caveat    Decryptions are matched to a call by principal, session, region, time (5 seconds) and the secrets it names, as no identifier ties the two records.
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
        nullif(e.error_code, '') as error_code,
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
reads as (
    select
        event_id,
        event_time,
        principal_arn,
        session_name,
        access_key_id,
        event_source,
        event_name,
        event_source = 'kms.amazonaws.com' as is_decryption,
        case when event_source <> 'kms.amazonaws.com' then coalesce(
            request_parameters->>'secretId',
            request_parameters->>'secretIdList',
            request_parameters->>'filters',
            request_parameters->>'name',
            request_parameters->>'names',
            request_parameters->>'path',
            nullif(split_part(split_part(error_message, 'on resource: ', 2), ' ', 1), '')
        ) end as secret,
        -- The names and ARNs of the request, each in quotes; without the version or label of a parameter.
        case event_source
            when 'secretsmanager.amazonaws.com' then coalesce(
                '"' || (request_parameters->>'secretId') || '"',
                request_parameters->>'secretIdList'
            )
            when 'ssm.amazonaws.com' then regexp_replace(
                coalesce('"' || (request_parameters->>'name') || '"', request_parameters->>'names'),
                ':[^":/]*"',
                '"',
                'g'
            )
        end as quoted_names,
        rtrim(request_parameters->>'path', '/') || '/' as path,
        (request_parameters->>'recursive') = 'true' as is_recursive,
        case when event_source = 'kms.amazonaws.com' then
            request_parameters->'encryptionContext'->>'SecretARN'
        end as secret_arn,
        case when event_source = 'kms.amazonaws.com' then
            request_parameters->'encryptionContext'->>'PARAMETER_ARN'
        end as parameter_arn,
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
       or (
           event_source = 'kms.amazonaws.com'
           and (
               (request_parameters->'encryptionContext'->>'SecretARN') is not null
               or (request_parameters->'encryptionContext'->>'PARAMETER_ARN') is not null
           )
       )
),
decrypted_names as (
    select
        event_id,
        event_time,
        principal_arn,
        session_name,
        recipient_account_id,
        aws_region,
        ten_seconds,
        coalesce(secret_arn, parameter_arn) as arn,
        case
            when secret_arn is not null then 'secretsmanager.amazonaws.com'
            else 'ssm.amazonaws.com'
        end as called_source,
        -- The ARN of a secret ends with a hyphen and six characters that requests may leave out.
        left(secret_arn, cast(greatest(length(secret_arn) - 7, 0) as bigint)) as short_arn,
        '/' || split_part(parameter_arn, ':parameter/', 2) as parameter_path
    from reads
    where is_decryption
      and error_code is null
),
-- Each decryption stands in three spans of ten seconds, so that an equality finds all calls within five.
decryptions as (
    select
        n.event_id,
        n.event_time,
        n.principal_arn,
        n.session_name,
        n.recipient_account_id,
        n.aws_region,
        n.called_source,
        n.arn,
        '"' || n.arn || '"' as quoted_arn,
        '"' || coalesce(n.short_arn, n.parameter_path) || '"' as quoted_path,
        '"' || coalesce(split_part(n.short_arn, ':secret:', 2), ltrim(n.parameter_path, '/')) || '"' as quoted_name,
        regexp_replace(n.parameter_path, '[^/]*$', '') as folder,
        n.ten_seconds + s.shift as ten_seconds
    from decrypted_names n
    cross join (values (-1), (0), (1)) as s (shift)
),
candidates as (
    select
        c.event_id as call_id,
        d.event_id as decryption_id,
        c.recipient_account_id,
        d.arn,
        c.quoted_names is not null or c.path is not null as is_named
    from reads c
    inner join decryptions d
        on c.principal_arn = d.principal_arn
        and c.recipient_account_id = d.recipient_account_id
        and c.aws_region = d.aws_region
        and c.event_source = d.called_source
        and c.ten_seconds = d.ten_seconds
    where not c.is_decryption
      and c.error_code is null
      and (c.session_name = d.session_name or c.session_name is null or d.session_name is null)
      and d.event_time >= c.event_time - interval '5 seconds'
      and d.event_time <= c.event_time + interval '5 seconds'
      and (
          (c.event_name = 'BatchGetSecretValue' and c.quoted_names is null)
          or strpos(c.quoted_names, d.quoted_arn) > 0
          or strpos(c.quoted_names, d.quoted_path) > 0
          or strpos(c.quoted_names, d.quoted_name) > 0
          or d.folder = c.path
          or (c.is_recursive and starts_with(d.folder, c.path))
      )
),
-- A call that names no secrets gets only what no other call named.
pairs as (
    select
        call_id,
        decryption_id,
        recipient_account_id,
        arn,
        is_named,
        bool_or(is_named) over (partition by decryption_id, recipient_account_id) as has_named
    from candidates
),
-- Both ends of every pair: a call gets the ARNs of its decryptions, and a decryption that has a call is left out.
ends as (
    select distinct
        unnest(array[call_id, decryption_id]) as event_id,
        recipient_account_id,
        arn
    from pairs
    where is_named = has_named
),
paired as (
    select
        event_id,
        recipient_account_id,
        array_to_string(array_sort(array_agg(arn)), ',') as decrypted
    from ends
    group by event_id, recipient_account_id
)
select
    case
        when r.error_code is null then 'read'
        when r.error_code like '%AccessDenied%' or r.error_code like '%Unauthorized%' then 'denied'
        else 'failed'
    end as outcome,
    r.event_time,
    r.principal_arn,
    r.session_name,
    r.access_key_id,
    r.event_source,
    r.event_name,
    coalesce(r.secret, r.secret_arn, r.parameter_arn) as secret,
    case
        when not r.is_decryption then p.decrypted
        when r.error_code is null then coalesce(r.secret_arn, r.parameter_arn)
    end as decrypted,
    r.source_ip_address,
    r.user_agent,
    r.via_service,
    r.recipient_account_id,
    r.aws_region,
    r.error_code,
    r.event_id
from paired p
right join reads r
    on p.event_id = r.event_id
    and p.recipient_account_id = r.recipient_account_id
where not r.is_decryption
   or p.decrypted is null
order by outcome desc, r.event_time, r.principal_arn, r.event_id, r.recipient_account_id
