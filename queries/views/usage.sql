-- What the table `usage` holds, made of the events themselves: for stores whose rollup is missing or behind. Nothing is
-- summed: one row per event and action, as each call's own.
with mapped as (
    select
        e.event_date,
        e.event_time,
        e.recipient_account_id,
        e.principal_arn,
        coalesce(e.session_issuer_principal_id, split_part(e.user_identity_principal_id, ':', 1)) as principal_id,
        e.principal_type,
        e.event_source,
        e.event_name,
        e.event_type,
        e.event_category,
        e.serving_region,
        e.credential_kind,
        e.via_service,
        case when e.credential_kind = 'long-term' then e.user_identity_access_key_id end as access_key_id,
        case when e.session_name is not null then make_array(e.session_name) end as session_names,
        case
            when e.credential_kind = 'long-term' and e.source_ip_address is not null then make_array(e.source_ip_address)
        end as source_addresses,
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
    from events e
),
numbered as (
    select
        m.*,
        unnest(m.needs) as need,
        unnest(range(1, cast(cardinality(m.needs) as bigint) + 1)) as number
    from mapped m
)
select
    n.event_date as day,
    n.recipient_account_id,
    n.principal_arn,
    n.principal_id,
    n.principal_type,
    n.event_source,
    n.event_name,
    n.event_type,
    n.event_category,
    n.serving_region,
    n.credential_kind,
    n.via_service,
    n.access_key_id,
    n.need['outcome'] as outcome,
    n.need['action'] as action,
    n.need['class'] as class,
    n.need['is_proven'] as is_proven,
    n.need['proof'] as proof,
    n.need['access_level'] as access_level,
    n.need['verdict'] as verdict,
    n.need['reason'] as reason,
    n.need['confidence'] as confidence,
    n.need['provenance'] as provenance,
    cast(1 as bigint) as calls,
    cast(case when n.number = 1 then 1 else 0 end as bigint) as events,
    cast(case when n.need['resources'] is null then 1 else 0 end as bigint) as unnamed,
    n.event_time as first_seen,
    n.event_time as last_seen,
    case
        when cardinality(n.need['resources']) > 50 then array_slice(array_sort(n.need['resources']), 1, 50)
        else n.need['resources']
    end as resources,
    coalesce(cardinality(n.need['resources']) > 50, false) as more_resources,
    n.session_names,
    false as more_session_names,
    n.source_addresses,
    false as more_source_addresses,
    iam_facts_version() as facts
from numbered n
