-- rows: 5
select event_time, event_name, user_identity.type, source_ip_address
from aws_cloudtrail_log
where user_identity.type = 'Root' or user_identity.session_context.session_issuer.type = 'Role'
order by event_time desc;
