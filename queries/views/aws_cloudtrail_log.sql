-- The column names of Tailpipe's CloudTrail table, over the rows of the store.
select
    e.event_id as tp_id,
    'aws_cloudtrail_log' as tp_table,
    e.object_key as tp_source_location,
    e.recipient_account_id as tp_index,
    e.event_date as tp_date,
    e.event_time as tp_timestamp,
    e.source_ip_address as tp_source_ip,
    e.additional_event_data as additional_event_data,
    e.api_version as api_version,
    e.aws_region as aws_region,
    e.edge_device_details as edge_device_details,
    e.error_code as error_code,
    e.error_message as error_message,
    e.event_category as event_category,
    e.event_id as event_id,
    e.event_name as event_name,
    e.event_source as event_source,
    e.event_time as event_time,
    e.event_type as event_type,
    e.event_version as event_version,
    e.management_event as management_event,
    e.read_only as read_only,
    e.recipient_account_id as recipient_account_id,
    e.request_id as request_id,
    e.request_parameters as request_parameters,
    e.resources as resources,
    e.response_elements as response_elements,
    e.service_event_details as service_event_details,
    cast(e.session_credential_from_console as varchar) as session_credential_from_console,
    e.shared_event_id as shared_event_id,
    e.source_ip_address as source_ip_address,
    named_struct(
        'cipher_suite', e.tls_cipher_suite,
        'client_provided_host_header', e.tls_client_provided_host_header,
        'tls_version', e.tls_version
    ) as tls_details,
    e.user_agent as user_agent,
    named_struct(
        'access_key_id', e.user_identity_access_key_id,
        'account_id', e.user_identity_account_id,
        'arn', e.user_identity_arn,
        'identity_provider', e.user_identity_identity_provider,
        'invoked_by', e.user_identity_invoked_by,
        'principal_id', e.user_identity_principal_id,
        'session_context', named_struct(
            'attributes', named_struct(
                'creation_date', e.session_creation_date,
                'mfa_authenticated', cast(e.session_mfa_authenticated as varchar)
            ),
            'ec2_role_delivery', e.session_ec2_role_delivery,
            'session_issuer', named_struct(
                'account_id', e.session_issuer_account_id,
                'arn', e.session_issuer_arn,
                'principal_id', e.session_issuer_principal_id,
                'type', e.session_issuer_type,
                'user_name', e.session_issuer_user_name
            ),
            'web_id_federation_data', named_struct(
                'attributes', e.session_web_id_attributes,
                'federated_provider', e.session_web_id_federated_provider
            )
        ),
        'type', e.user_identity_type,
        'user_name', e.user_identity_user_name
    ) as user_identity,
    e.vpc_endpoint_id as vpc_endpoint_id
from events e
