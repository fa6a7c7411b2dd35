-- @id        unexpected-regions
-- @title     Calls in unexpected regions
-- @question  Which principals called services in regions that are not on the allowed list, or that their account had not used before the window?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; what came before it is the baseline.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @param     allowed utf8?  Allowed regions, separated by commas or white space, like `eu-west-1,eu-central-1`, in capitals or not; an empty list allows none. Without it the baseline decides.
-- @column    recipient_account_id utf8  Account that received the calls.
-- @column    serving_region utf8  Region that really served the calls.
-- @column    principal_arn utf8  Who called; the session name is removed.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    calls int64  Calls in the window.
-- @column    writes int64  Calls that were not read-only and succeeded.
-- @column    denied int64  Calls that ended with an error.
-- @column    first_seen timestamp  First call in the window.
-- @column    last_seen timestamp  Last call in the window.
-- @column    reason utf8  `not allowed`, with a hint if `allowed` holds no regions or names that cannot be regions; or, without a list, `not used before`, or `no baseline` when the account has no earlier calls.
-- @severity  medium
-- @identity  recipient_account_id, serving_region, principal_arn, event_source
-- @unknown   reason = no baseline
-- @control   soc2:CC7.2
-- @control   iso27001:A.8.16
-- @caveat    Without `allowed`, successful calls before `since` make a region expected; `no baseline` rows are unknown, not unexpected.
-- @caveat    Global services (IAM, Organizations, CloudFront and others) are served by no region and are left out.
-- @caveat    STS counts where it was served; calls to its global endpoint whose record does not say where (before 2025) are left out.
-- @caveat    An STS record in us-east-1 that names neither endpoint nor serving region counts there, whichever endpoint it was.
with lists as (
    select regexp_replace(lower(',' || $allowed || ','), '[^a-z0-9-]+', ',,', 'g') as allowed
),
checked_lists as (
    select
        allowed,
        -- What is left of the list without all names that are built like one of a region.
        replace(regexp_replace(allowed, ',([a-z]+(-[a-z]+)+-[0-9]+|aws-global),', '', 'g'), ',', '') <> '' as has_other_names,
        replace(allowed, ',', '') = '' as is_empty
    from lists
),
calls as (
    select
        e.recipient_account_id,
        e.serving_region,
        e.principal_arn,
        e.event_source,
        e.event_time,
        e.read_only,
        nullif(e.error_code, '') as error_code
    from events e
    where e.serving_region is not null
      and e.serving_region <> 'aws-global'
      and (
          $allowed is null
          or strpos(
              regexp_replace(lower(',' || $allowed || ','), '[^a-z0-9-]+', ',,', 'g'),
              ',' || e.serving_region || ','
          ) = 0
      )
      and (e.principal_type is null or e.principal_type <> 'service')
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and (e.event_type is null or e.event_type <> 'AwsServiceEvent')
      and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
      and ($allowed is null or $since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
      and not (
          e.event_source = 'sts.amazonaws.com'
          and coalesce(e.tls_client_provided_host_header, '') = 'sts.amazonaws.com'
          and (e.additional_event_data->'RequestDetails'->>'awsServingRegion') is null
      )
),
baseline as (
    select distinct
        recipient_account_id,
        serving_region
    from calls
    where $allowed is null
      and event_time < $since
      and error_code is null
),
accounts_with_baseline as (
    select distinct recipient_account_id
    from baseline
),
in_window as (
    select
        recipient_account_id,
        serving_region,
        principal_arn,
        event_source,
        count(*) as calls,
        sum(case when read_only = false and error_code is null then 1 else 0 end) as writes,
        sum(case when error_code is not null then 1 else 0 end) as denied,
        min(event_time) as first_seen,
        max(event_time) as last_seen
    from calls
    where $since is null or event_time >= $since
    group by recipient_account_id, serving_region, principal_arn, event_source
)
select
    w.recipient_account_id,
    w.serving_region,
    w.principal_arn,
    w.event_source,
    w.calls,
    w.writes,
    w.denied,
    w.first_seen,
    w.last_seen,
    case
        when l.is_empty then 'not allowed: `allowed` is empty'
        when l.has_other_names then 'not allowed, but `allowed` has names that are no regions'
        when $allowed is not null then 'not allowed'
        when a.recipient_account_id is null then 'no baseline'
        else 'not used before'
    end as reason
from in_window w
cross join checked_lists l
left join accounts_with_baseline a
    on w.recipient_account_id = a.recipient_account_id
left join baseline b
    on w.recipient_account_id = b.recipient_account_id
    and w.serving_region = b.serving_region
where b.serving_region is null
order by w.recipient_account_id, w.serving_region, w.principal_arn, w.event_source
