-- @id        ingest-balance
-- @title     Balance of the store
-- @question  Does every record of every listed object have a fate, and does the store hold as many events as the ledger says?
-- @column    kind utf8  What the objects hold: events, digest, insight, aggregated, network-activity or unknown; `all` in the last row.
-- @column    state utf8  What became of them: ingested, partial, not-events, corrupt, limited, unknown, unreadable or vanished; `all` in the last row.
-- @column    objects int64  Distinct objects, by key, ETag and size.
-- @column    records int64  Records they hold.
-- @column    stored int64  Records that became events.
-- @column    duplicates int64  Records that the store already had.
-- @column    rejected int64  Records that could not be stored; `rejects` keeps them.
-- @column    unaccounted int64  Records without a fate; anything but 0 is an error of this program.
-- @column    event_rows int64  Rows of `events`, in the last row only; equals `stored` unless rows were deleted.
-- @control   soc2:PI1.2
-- @control   iso27001:A.8.15
-- @caveat    An object that was unreadable, vanished or cut off at a limit, and read in a later run, is counted under both states.
with identified as (
    select
        o.kind,
        o.state,
        o.object_key || ' ' || o.etag || ' ' || cast(o.size as varchar) as object,
        o.records,
        o.stored,
        o.duplicates,
        o.rejected
    from objects o
),
by_state as (
    select
        kind,
        state,
        0 as is_total,
        count(distinct object) as objects,
        sum(records) as records,
        sum(stored) as stored,
        sum(duplicates) as duplicates,
        sum(rejected) as rejected,
        cast(null as bigint) as event_rows
    from identified
    group by kind, state
),
total as (
    select
        'all' as kind,
        'all' as state,
        1 as is_total,
        count(distinct object) as objects,
        coalesce(sum(records), 0) as records,
        coalesce(sum(stored), 0) as stored,
        coalesce(sum(duplicates), 0) as duplicates,
        coalesce(sum(rejected), 0) as rejected,
        (select count(*) from events) as event_rows
    from identified
),
lines as (
    select kind, state, is_total, objects, records, stored, duplicates, rejected, event_rows
    from by_state
    union all
    select kind, state, is_total, objects, records, stored, duplicates, rejected, event_rows
    from total
)
select
    kind,
    state,
    objects,
    records,
    stored,
    duplicates,
    rejected,
    records - stored - duplicates - rejected as unaccounted,
    event_rows
from lines
order by is_total, kind, state
