-- Digests and logs of an account and region, each as the last run that read it found it; of a log also the earlier versions
-- whose events the store holds.
with numbered as (
    select
        o.object_key,
        o.kind,
        o.sha256,
        o.error,
        o.metadata,
        o.digest_text,
        o.size = o.inflated_bytes as is_plain,
        o.stored,
        row_number() over (
            partition by o.object_key
            order by o.ingested_at desc, o.etag desc, o.size desc
        ) as place
    from objects o
    where o.account_id = $account
      and o.region = $region
      and o.state not in ('unreadable', 'vanished')
)
select
    n.object_key,
    n.kind,
    n.sha256,
    n.error,
    n.metadata,
    n.digest_text,
    n.is_plain
from numbered n
where n.place = 1
   or n.stored > 0
order by n.object_key, n.place
