-- Some digests of every account and region that were read from folders, of each folder: they say which bucket it is a copy of.
with numbered as (
    select
        o.object_key,
        o.digest_text,
        row_number() over (
            partition by o.account_id, o.region, regexp_replace(o.object_key, '^(.*/)?AWSLogs/.*$', '\1')
            order by o.object_key, o.ingested_at
        ) as place
    from objects o
    where o.kind = 'digest'
      and o.digest_text is not null
      and o.object_key not like 's3://%'
)
select
    n.object_key,
    n.digest_text
from numbered n
where n.place <= 10
order by n.object_key
