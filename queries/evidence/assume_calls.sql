-- Calls that assumed roles in a window, or tried to. A call that two accounts recorded is there once, by the record that
-- names the caller. Keys are there where one such call was signed with what another gave. Of the context, only the parts are
-- there that `$parts` lists, one per line. The keys stand on the side of the joins that is kept in memory.
with assumes as (
    select
        e.event_time,
        e.event_id,
        e.shared_event_id,
        e.recipient_account_id,
        e.event_name,
        e.aws_region,
        coalesce(
            nullif(e.request_parameters->>'roleArn', ''),
            nullif(split_part(split_part(e.error_message, 'on resource: ', 2), ' ', 1), '')
        ) as role_arn,
        e.principal_arn,
        e.principal_type,
        e.credential_kind,
        e.user_identity_type,
        e.user_identity_principal_id,
        e.user_identity_account_id,
        e.user_identity_user_name,
        e.user_identity_invoked_by,
        e.user_identity_identity_provider,
        case when e.principal_type = 'role' then e.user_identity_access_key_id end as own_key,
        e.response_elements->'credentials'->>'accessKeyId' as given_key,
        e.session_issuer_arn,
        e.session_mfa_authenticated,
        e.session_source_identity,
        coalesce(e.error_code, '') = '' and coalesce(e.error_message, '') = '' as is_granted,
        e.request_parameters is not null as has_parameters,
        nullif(e.request_parameters->>'externalId', '') as external_id,
        nullif(e.request_parameters->>'sourceIdentity', '') as source_identity,
        nullif(e.request_parameters->>'serialNumber', '') as serial_number,
        e.request_parameters->>'tags' as tags,
        e.response_elements->>'audience' as audience,
        e.response_elements->>'issuer' as issuer,
        case when array_has(string_to_array($parts, chr(10)), 'session') then e.user_identity_arn end as session_arn,
        case when array_has(string_to_array($parts, chr(10)), 'session') then e.session_creation_date end as session_created_at,
        case when array_has(string_to_array($parts, chr(10)), 'session') then e.request_parameters->>'roleSessionName' end as session_name,
        case when array_has(string_to_array($parts, chr(10)), 'network') then e.source_ip_address end as source_ip_address,
        case when array_has(string_to_array($parts, chr(10)), 'network') then e.user_agent end as user_agent,
        case when array_has(string_to_array($parts, chr(10)), 'network') then e.vpc_endpoint_id end as vpc_endpoint_id,
        case when array_has(string_to_array($parts, chr(10)), 'network') then e.tls_version end as tls_version
    from events e
    where e.event_date >= cast($since as date)
      and e.event_date <= cast($until as date)
      and e.event_time >= $since
      and e.event_time < $until
      and e.event_source = 'sts.amazonaws.com'
      and e.event_name in ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
),
numbered as (
    select
        a.*,
        row_number() over (
            partition by coalesce(a.shared_event_id, a.event_id)
            order by
                case when a.principal_type = 'account' then 1 else 0 end,
                a.recipient_account_id,
                a.event_id
        ) as position
    from assumes a
    where a.role_arn is not null
),
linked as (
    select
        n.own_key as link_key
    from assumes n
    where n.own_key is not null
    group by 1
    intersect
    select
        n.given_key as link_key
    from assumes n
    where n.given_key is not null
    group by 1
)
select
    n.event_time,
    n.event_id,
    n.event_name,
    n.aws_region,
    n.role_arn,
    n.principal_arn,
    n.credential_kind,
    n.user_identity_type,
    n.user_identity_principal_id,
    n.user_identity_account_id,
    n.user_identity_user_name,
    n.user_identity_invoked_by,
    n.user_identity_identity_provider as identity_provider,
    n.session_issuer_arn,
    n.session_mfa_authenticated as mfa_authenticated,
    n.session_source_identity,
    n.is_granted,
    n.has_parameters,
    n.external_id,
    n.source_identity,
    n.serial_number,
    n.tags,
    n.audience,
    n.issuer,
    o.link_key as caller_key,
    g.link_key as issued_key,
    n.session_arn,
    n.session_created_at,
    n.session_name,
    n.source_ip_address,
    n.user_agent,
    n.vpc_endpoint_id,
    n.tls_version
from linked o
right join (
    linked g
    right join numbered n
      on g.link_key = n.given_key
)
  on o.link_key = n.own_key
where n.position = 1
