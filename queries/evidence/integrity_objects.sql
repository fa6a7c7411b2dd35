-- Digests and logs of an account and region, each as the last run that read it found it; of a log also the earlier versions
-- whose events the store holds, and what could not be read to its end and gave events.
with numbered as (
    select
        o.object_key,
        o.kind,
        o.sha256,
        o.error,
        o.metadata,
        o.digest_text,
        o.size = o.inflated_bytes as is_plain,
        o.first_event_time,
        o.last_event_time,
        o.stored,
        o.state in ('unreadable', 'vanished') as is_lost,
        max(o.sha256) over (partition by o.object_key, o.etag, o.size) as read_later,
        row_number() over (
            partition by o.object_key, o.state in ('unreadable', 'vanished')
            order by o.ingested_at desc, o.etag desc, o.size desc
        ) as place
    from objects o
    where o.account_id = $account
      and o.region = $region
      and (o.state not in ('unreadable', 'vanished') or o.stored > 0)
)
select
    n.object_key,
    n.kind,
    n.sha256,
    n.error,
    n.metadata,
    n.digest_text,
    n.is_plain,
    n.first_event_time,
    n.last_event_time
from numbered n
where (n.place = 1 or n.stored > 0)
  and (not n.is_lost or n.read_later is null)
order by n.object_key, n.place
