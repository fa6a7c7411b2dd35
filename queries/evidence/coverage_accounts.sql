-- Accounts that the store knows by other means than logs: IAM snapshots list something of them, or they are in the newest listing of
-- their organization.
with newest as (
    select
        n.organization_id,
        max(n.snapshot_time) as snapshot_time
    from iam_organization n
    group by n.organization_id
)
select
    unnest(s.accounts) as account_id
from iam_sources s
where s.format <> 'organization-policies'
union
select
    n.node_id as account_id
from iam_organization n
join newest l
    on coalesce(n.organization_id, '') = coalesce(l.organization_id, '')
    and n.snapshot_time = l.snapshot_time
where n.kind = 'account'
order by account_id
