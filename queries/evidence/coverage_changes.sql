-- Calls that succeeded and changed whether a trail records or signs, or which accounts there are.
select
    e.event_time,
    e.event_name as call,
    e.recipient_account_id as account_id,
    coalesce(e.request_parameters->>'name', e.request_parameters->>'trailName') as trail,
    e.request_parameters->>'enableLogFileValidation' as validation,
    case
        when e.event_name = 'CreateAccountResult' then e.service_event_details->'createAccountStatus'->>'accountId'
        else e.request_parameters->>'accountId'
    end as subject,
    e.aws_region as region,
    e.response_elements->>'isOrganizationTrail' as of_organization,
    e.response_elements->'handshake'->>'action' as handshake
from events e
where e.event_date < cast($until as date) + interval '1 day'
  and e.event_time < $until
  and coalesce(e.error_code, '') = ''
  and e.recipient_account_id is not null
  and (
      (
          e.event_source = 'cloudtrail.amazonaws.com'
          and e.event_name in ('StopLogging', 'StartLogging', 'DeleteTrail', 'CreateTrail', 'UpdateTrail')
      )
      or (
          e.event_source = 'organizations.amazonaws.com'
          and e.event_name in (
              'CreateAccountResult', 'AcceptHandshake', 'LeaveOrganization', 'RemoveAccountFromOrganization',
              'CloseAccount'
          )
      )
  )
order by e.event_time, e.event_name, e.recipient_account_id, trail, subject
