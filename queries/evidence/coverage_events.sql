-- Events by account, region that recorded them and hour, in a window. `stray_object` holds some of them, and lies in the folder of
-- another account or has the name of one; the first condition is the cheap one of almost all objects.
select
    e.recipient_account_id as account_id,
    e.aws_region as region,
    cast(e.event_time as bigint) / 3600000000 as hour,
    cast(count(*) as bigint) as events,
    min(e.event_time) as first_event,
    max(e.event_time) as last_event,
    min(
        case
            when strpos(e.object_key, concat('/', e.recipient_account_id, '/CloudTrail/')) + 13 = strpos(e.object_key, '/CloudTrail/')
             and strpos(substr(e.object_key, strpos(e.object_key, 'AWSLogs/') + 8), 'AWSLogs/') = 0
                then null
            when regexp_like(e.object_key, '(^|/)AWSLogs/(o-[^/]*/)?[0-9]{12}/CloudTrail')
                then case
                    when regexp_replace(e.object_key, '^.*AWSLogs/(o-[^/]*/)?([0-9]{12})/CloudTrail.*$', '\2')
                        <> e.recipient_account_id
                        then e.object_key
                end
            when regexp_replace(e.object_key, '^.*/([0-9]{12})_CloudTrail[^/]*$', '\1')
                not in (e.object_key, e.recipient_account_id)
                then e.object_key
        end
    ) as stray_object
from events e
where e.event_date >= cast($since as date)
  and e.event_date <= cast($until as date)
  and e.event_time >= $since
  and e.event_time < $until
  and e.recipient_account_id is not null
  and e.aws_region is not null
  and (e.event_category is null or e.event_category in ('Management', 'Data'))
group by 1, 2, 3
order by 1, 2, 3
