-- Snapshots of accounts since a moment, but for the newest of each.
with listed as (
    select
        s.source_id,
        s.snapshot_time,
        unnest(s.accounts) as account_id
    from iam_sources s
    where s.format in ('authorization-details', 'iam-collect')
      and s.snapshot_time >= $since
),
newest as (
    select
        l.account_id,
        max(l.snapshot_time) as snapshot_time
    from listed l
    group by l.account_id
),
earlier as (
    select
        l.source_id
    from listed l
    join newest n
        on l.account_id = n.account_id
        and l.snapshot_time < n.snapshot_time
)
select
    s.source_id,
    s.snapshot_time,
    s.format,
    s.content
from iam_sources s
where s.source_id in (select e.source_id from earlier e)
order by s.snapshot_time, s.source_id
