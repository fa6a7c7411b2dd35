-- The newest snapshots of every account, and all of the organization.
with listed as (
    select
        s.source_id,
        s.snapshot_time,
        s.format,
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
kept as (
    select distinct
        l.source_id
    from listed l
    join newest n
        on l.account_id = n.account_id
        and l.format = n.format
        and l.snapshot_time = n.snapshot_time
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
