-- rows: 1
select event_id, (additional_event_data ->> 'MFAUsed') as mfa, (response_elements -> 'ConsoleLogin') as login
from aws_cloudtrail_log
where event_name = 'ConsoleLogin' and (response_elements ->> 'ConsoleLogin') = 'Success' and tp_index = '111111111111';
