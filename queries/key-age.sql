-- @id        key-age
-- @title     Long-lived access keys and their age
-- @question  Which long-lived access keys are in use, how old are they at least, and who uses them from how many places?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @param     min_age_days int64?  Only keys that are, or may be, at least this old, in days: those of unknown creation stay.
-- @column    access_key_id utf8  The key.
-- @column    principal_arn utf8  User or root user that it belongs to.
-- @column    recipient_account_id utf8  Account that received the calls.
-- @column    created_at timestamp  When CreateAccessKey returned the key; null when the store holds no such event.
-- @column    creation utf8  `seen` when the store holds the key's creation; `unknown` when it does not, so that the key may be far older.
-- @column    first_seen timestamp  First call with the key in the window.
-- @column    last_seen timestamp  Last call with the key in the window.
-- @column    age_days int64  Whole days from creation to `until` or the last call of the window; from the first call, as the least age, when creation is unknown.
-- @column    calls int64  Calls with the key in the window.
-- @column    denied int64  Calls that ended with an error.
-- @column    addresses int64  Distinct source addresses, counted up to 50; 51 stands for more.
-- @severity  medium
-- @identity  access_key_id, principal_arn
-- @control   soc2:CC6.1
-- @control   iso27001:A.5.17
-- @caveat    Keys that made no call in the window are not shown; a credential report lists them.
-- @caveat    Logs cannot prove a key young whose creation they do not hold: it may be far older than `age_days` says, which a credential report tells.
with calls as (
    -- Whole days.
    select
        u.access_key_id,
        u.principal_arn,
        u.recipient_account_id,
        u.events as calls,
        case when u.outcome <> 'succeeded' then u.events else 0 end as denied,
        u.first_seen,
        u.last_seen,
        u.source_addresses,
        u.more_source_addresses
    from usage u
    where u.credential_kind = 'long-term'
      and u.access_key_id is not null
      and u.events > 0
      and (u.event_category is null or u.event_category in ('Management', 'Data'))
      and ($since is null or u.day >= cast($since as date))
      and ($since is null or u.day > cast($since as date) or $since = date_trunc('day', $since))
      and ($until is null or u.day < cast($until as date))
    union all
    -- The days that the window begins and ends in.
    select
        e.user_identity_access_key_id as access_key_id,
        e.principal_arn,
        e.recipient_account_id,
        cast(1 as bigint) as calls,
        cast(case when e.error_code <> '' or e.error_message <> '' then 1 else 0 end as bigint) as denied,
        e.event_time as first_seen,
        e.event_time as last_seen,
        case when e.source_ip_address is not null then make_array(e.source_ip_address) end as source_addresses,
        false as more_source_addresses
    from events e
    where e.credential_kind = 'long-term'
      and e.user_identity_access_key_id is not null
      and (e.event_category is null or e.event_category in ('Management', 'Data'))
      and (
          (e.event_date = cast($since as date) and $since <> date_trunc('day', $since))
          or e.event_date = cast($until as date)
      )
      and ($since is null or e.event_time >= $since)
      and ($until is null or e.event_time < $until)
),
addresses as (
    select
        c.access_key_id,
        c.principal_arn,
        c.recipient_account_id,
        c.calls,
        c.denied,
        c.first_seen,
        c.last_seen,
        c.more_source_addresses,
        -- One row per address, and one for calls without; the first of them counts the calls.
        unnest(
            case when cardinality(c.source_addresses) > 0 then c.source_addresses else make_array(cast(null as varchar)) end
        ) as address,
        unnest(range(1, cast(greatest(coalesce(cardinality(c.source_addresses), 1), 1) as bigint) + 1)) as number
    from calls c
),
creations as (
    select
        e.response_elements->'accessKey'->>'accessKeyId' as access_key_id,
        min(e.event_time) as created_at
    from events e
    where e.event_source = 'iam.amazonaws.com'
      and e.event_name = 'CreateAccessKey'
      and (e.error_code is null or e.error_code = '')
    group by e.response_elements->'accessKey'->>'accessKeyId'
),
keys as (
    select
        access_key_id,
        principal_arn,
        recipient_account_id,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        cast(sum(case when number = 1 then calls else 0 end) as bigint) as calls,
        cast(sum(case when number = 1 then denied else 0 end) as bigint) as denied,
        case when bool_or(more_source_addresses) then 51 else least(count(distinct address), 51) end as addresses
    from addresses
    group by access_key_id, principal_arn, recipient_account_id
),
moments as (
    select coalesce($until, max(last_seen)) as as_of
    from calls
),
aged as (
    select
        k.access_key_id,
        k.principal_arn,
        k.recipient_account_id,
        c.created_at,
        case when c.created_at is null then 'unknown' else 'seen' end as creation,
        k.first_seen,
        k.last_seen,
        cast(
            floor((extract(epoch from m.as_of) - extract(epoch from coalesce(c.created_at, k.first_seen))) / 86400)
            as bigint
        ) as age_days,
        k.calls,
        k.denied,
        k.addresses
    from keys k
    cross join moments m
    left join creations c
        on k.access_key_id = c.access_key_id
)
select
    access_key_id,
    principal_arn,
    recipient_account_id,
    created_at,
    creation,
    first_seen,
    last_seen,
    age_days,
    calls,
    denied,
    addresses
from aged
where $min_age_days is null
   or age_days >= $min_age_days
   or creation = 'unknown'
order by age_days desc, access_key_id, principal_arn, recipient_account_id
