-- rows: 6
select event_id from aws_cloudtrail_log
where cast(strftime(event_time, '%H') as integer) >= 11 or cast(strftime(event_time, '%H') as integer) < 6
