-- rows: 1
select json_extract_string(response_elements, '$.accessKey.accessKeyId') as access_key_id
from aws_cloudtrail_log
where event_name = 'CreateAccessKey' and error_code is null;
