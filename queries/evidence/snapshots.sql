-- The newest snapshots of every account, the newest of which the last page says that more follow, and all of the organization.
with listed as (
    select
        s.source_id,
        s.snapshot_time,
        s.format,
        s.problems like '%"place":"last page"%' as lacks_pages,
        unnest(s.accounts) as account_id
    from iam_sources s
),
newest as (
    select
        l.account_id,
        l.format,
        max(l.snapshot_time) as snapshot_time
    from listed l
    group by l.account_id, l.format
),
newest_cut_off as (
    select
        l.account_id,
        max(l.snapshot_time) as snapshot_time
    from listed l
    where l.lacks_pages
    group by l.account_id
),
kept as (
    select
        l.source_id
    from listed l
    join newest n
        on l.account_id = n.account_id
        and l.format = n.format
        and l.snapshot_time = n.snapshot_time
    union
    select
        l.source_id
    from listed l
    join newest_cut_off c
        on l.account_id = c.account_id
        and l.snapshot_time = c.snapshot_time
    where l.lacks_pages
)
select
    s.source_id,
    s.snapshot_time,
    s.format,
    s.content
from iam_sources s
where s.format = 'organization-policies'
   or s.source_id in (select k.source_id from kept k)
order by s.snapshot_time, s.source_id
