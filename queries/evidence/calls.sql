-- Calls of users, roles, root users and, if `$parts` lists `strangers`, other accounts that succeeded in a window, each with
-- the IAM actions that it needed. A call that two accounts recorded is there once. Of its context, only the parts are there
-- that `$parts` lists, one per line; `$principals` has one ARN per line and `$ids` one unique id, by which records may name a
-- principal alone; null is all. The copies stand on the side of the join that is kept in memory.
with own_copies as (
    select
        o.shared_event_id
    from events o
    where o.event_date >= cast($since as date)
      and o.event_date <= cast($until as date)
      and o.event_time >= $since
      and o.event_time < $until
      and o.shared_event_id is not null
      and o.recipient_account_id = split_part(o.principal_arn, ':', 5)
    group by 1
)
select
    e.event_time,
    e.event_id,
    e.event_source,
    e.event_name,
    e.aws_region,
    e.serving_region,
    case when e.event_source = 'bedrock.amazonaws.com' then e.request_parameters->>'modelId' end as model_id,
    case when e.event_source = 'bedrock.amazonaws.com' then e.additional_event_data->>'inferenceRegion' end as inference_region,
    e.principal_arn,
    coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1)) as principal_id,
    e.credential_kind,
    e.user_identity_type,
    e.user_identity_account_id,
    e.user_identity_user_name,
    e.user_identity_invoked_by,
    e.session_issuer_arn,
    case when array_has(string_to_array($parts, chr(10)), 'session') then e.user_identity_principal_id end as session_id,
    case when array_has(string_to_array($parts, chr(10)), 'session') then e.session_creation_date end as session_created_at,
    case when array_has(string_to_array($parts, chr(10)), 'session') then e.session_mfa_authenticated end as mfa_authenticated,
    case when array_has(string_to_array($parts, chr(10)), 'session') then e.session_source_identity end as source_identity,
    case when array_has(string_to_array($parts, chr(10)), 'network') then e.source_ip_address end as source_ip_address,
    case when array_has(string_to_array($parts, chr(10)), 'network') then e.user_agent end as user_agent,
    case when array_has(string_to_array($parts, chr(10)), 'network') then e.vpc_endpoint_id end as vpc_endpoint_id,
    case when array_has(string_to_array($parts, chr(10)), 'network') then e.tls_version end as tls_version,
    case when array_has(string_to_array($parts, chr(10)), 'parameters') then e.request_parameters end as request_parameters,
    case when array_has(string_to_array($parts, chr(10)), 'resources') then e.resources end as resources,
    iam_actions(
        e.event_source,
        e.event_name,
        e.event_type,
        e.error_code,
        e.error_message,
        e.request_parameters,
        e.additional_event_data,
        e.resources,
        e.passed_role_arns,
        e.recipient_account_id,
        e.aws_region,
        e.user_identity_type
    ) as needs
from own_copies o
right join events e
  on o.shared_event_id = e.shared_event_id
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and (
      e.principal_type in ('role', 'user', 'root')
      or (
          e.principal_type = 'account'
          and (
              array_has(string_to_array($parts, chr(10)), 'strangers')
              or substr(e.user_identity_principal_id, 1, 4) in ('AROA', 'AIDA')
          )
      )
  )
  and (
      $principals is null
      or array_has(string_to_array($principals, chr(10)), e.principal_arn)
      or array_has(
          string_to_array($ids, chr(10)),
          coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1))
      )
  )
  and (e.event_category is null or e.event_category in ('Management', 'Data'))
  and (e.event_type is null or e.event_type <> 'AwsServiceEvent')
  and coalesce(e.error_code, '') = ''
  and coalesce(e.error_message, '') = ''
  and (o.shared_event_id is null or e.recipient_account_id is not distinct from split_part(e.principal_arn, ':', 5))
