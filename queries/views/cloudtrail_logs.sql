-- The table of the Athena user guide: its names, its nesting, its types (times and truth values are text). CloudTrail Lake
-- spells the same names in camel case, which unquoted names do not distinguish.
select
    e.event_version as eventversion,
    named_struct(
        'type', e.user_identity_type,
        'principalid', e.user_identity_principal_id,
        'arn', e.user_identity_arn,
        'accountid', e.user_identity_account_id,
        'invokedby', e.user_identity_invoked_by,
        'accesskeyid', e.user_identity_access_key_id,
        'username', e.user_identity_user_name,
        'identityprovider', e.user_identity_identity_provider,
        'credentialid', e.user_identity_credential_id,
        'onbehalfof', named_struct(
            'userid', e.on_behalf_of_user_id,
            'identitystorearn', e.on_behalf_of_identity_store_arn
        ),
        'inscopeof', e.in_scope_of,
        'sessioncontext', named_struct(
            'attributes', named_struct(
                'mfaauthenticated', cast(e.session_mfa_authenticated as varchar),
                'creationdate', iso8601_text(e.session_creation_date)
            ),
            'sessionissuer', named_struct(
                'type', e.session_issuer_type,
                'principalid', e.session_issuer_principal_id,
                'arn', e.session_issuer_arn,
                'accountid', e.session_issuer_account_id,
                'username', e.session_issuer_user_name
            ),
            'ec2roledelivery', e.session_ec2_role_delivery,
            'sourceidentity', e.session_source_identity,
            'assumedroot', cast(e.session_assumed_root as varchar),
            'webidfederationdata', named_struct(
                'federatedprovider', e.session_web_id_federated_provider,
                'attributes', e.session_web_id_attributes
            )
        )
    ) as useridentity,
    iso8601_text(e.event_time) as eventtime,
    e.event_source as eventsource,
    e.event_name as eventname,
    e.aws_region as awsregion,
    e.source_ip_address as sourceipaddress,
    e.user_agent as useragent,
    e.error_code as errorcode,
    e.error_message as errormessage,
    e.request_parameters as requestparameters,
    e.response_elements as responseelements,
    e.additional_event_data as additionaleventdata,
    e.request_id as requestid,
    e.event_id as eventid,
    lower_case_resources(e.resources) as resources,
    e.event_type as eventtype,
    e.api_version as apiversion,
    cast(e.read_only as varchar) as readonly,
    e.recipient_account_id as recipientaccountid,
    e.service_event_details as serviceeventdetails,
    e.shared_event_id as sharedeventid,
    e.vpc_endpoint_id as vpcendpointid,
    e.vpc_endpoint_account_id as vpcendpointaccountid,
    e.event_category as eventcategory,
    cast(e.management_event as varchar) as managementevent,
    e.addendum as addendum,
    cast(e.session_credential_from_console as varchar) as sessioncredentialfromconsole,
    e.edge_device_details as edgedevicedetails,
    e.insight_details as insightdetails,
    e.event_context as eventcontext,
    named_struct(
        'tlsversion', e.tls_version,
        'ciphersuite', e.tls_cipher_suite,
        'clientprovidedhostheader', e.tls_client_provided_host_header
    ) as tlsdetails,
    e.recipient_account_id as account,
    e.aws_region as region,
    to_char(e.event_date, '%Y') as year,
    to_char(e.event_date, '%m') as month,
    to_char(e.event_date, '%d') as day,
    to_char(e.event_date, '%Y/%m/%d') as "timestamp"
from events e
