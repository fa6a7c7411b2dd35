-- @id        logging-changes
-- @title     Changes of logging and detection
-- @question  Who stopped, deleted or changed trails, Config recorders, GuardDuty, Security Hub or flow logs, or tried to?
-- @param     since timestamp?  First moment of the window, UTC, inclusive.
-- @param     until timestamp?  End of the window, UTC, exclusive.
-- @column    event_time timestamp  When the call was made.
-- @column    recipient_account_id utf8  Account of the trail, recorder or detector.
-- @column    effect utf8  `weakens`: less is recorded or found afterwards; `changes`: more, less or other.
-- @column    event_source utf8  Service endpoint that was called.
-- @column    event_name utf8  API operation.
-- @column    target utf8  Trail, recorder, detector or flow log that the request names.
-- @column    principal_arn utf8  Who made the call; the session name is removed.
-- @column    session_name utf8  Role session name; a person's name under Identity Center.
-- @column    source_ip_address utf8  Address or service name.
-- @column    aws_region utf8  Region of the record.
-- @column    error_code utf8  Error, when the call failed.
-- @column    event_id utf8  The record.
-- @severity  high
-- @identity  recipient_account_id, aws_region, event_source, event_name, target, principal_arn
-- @control   soc2:CC7.2
-- @control   soc2:CC7.3
-- @control   iso27001:A.8.15
-- @caveat    What was changed before the window, or by calls that no trail records, is not shown.
-- @caveat    Deleted log files are no event of this list: `coverage` and `verify` tell them.
select
    e.event_time,
    e.recipient_account_id,
    case
        when e.event_name in (
            'StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion',
            'StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel', 'DeleteRetentionConfiguration',
            'DeleteDetector', 'StopMonitoringMembers', 'DisassociateMembers', 'DisassociateFromMasterAccount',
            'DisassociateFromAdministratorAccount', 'DeleteMembers', 'DeletePublishingDestination',
            'DisableSecurityHub', 'BatchDisableStandards', 'DeleteAnalyzer', 'DeleteFlowLogs'
        ) then 'weakens'
        else 'changes'
    end as effect,
    e.event_source,
    e.event_name,
    coalesce(
        e.request_parameters->>'name',
        e.request_parameters->>'trailName',
        e.request_parameters->>'configurationRecorderName',
        e.request_parameters->'configurationRecorder'->>'name',
        e.request_parameters->>'deliveryChannelName',
        e.request_parameters->>'detectorId',
        e.request_parameters->>'eventDataStore'
    ) as target,
    e.principal_arn,
    e.session_name,
    e.source_ip_address,
    e.aws_region,
    nullif(e.error_code, '') as error_code,
    e.event_id
from events e
where not coalesce(e.read_only, false)
  and (
      (
          e.event_source = 'cloudtrail.amazonaws.com'
          and e.event_name in (
              'StopLogging', 'StartLogging', 'DeleteTrail', 'CreateTrail', 'UpdateTrail', 'PutEventSelectors',
              'PutInsightSelectors', 'DeleteEventDataStore', 'UpdateEventDataStore', 'StopEventDataStoreIngestion',
              'StartEventDataStoreIngestion', 'DeregisterOrganizationDelegatedAdmin'
          )
      )
      or (
          e.event_source = 'config.amazonaws.com'
          and e.event_name in (
              'StopConfigurationRecorder', 'StartConfigurationRecorder', 'DeleteConfigurationRecorder',
              'PutConfigurationRecorder', 'DeleteDeliveryChannel', 'PutDeliveryChannel', 'DeleteRetentionConfiguration'
          )
      )
      or (
          e.event_source = 'guardduty.amazonaws.com'
          and e.event_name in (
              'DeleteDetector', 'UpdateDetector', 'CreateDetector', 'StopMonitoringMembers', 'DisassociateMembers',
              'DisassociateFromMasterAccount', 'DisassociateFromAdministratorAccount', 'DeleteMembers',
              'UpdateMemberDetectors', 'UpdateOrganizationConfiguration', 'DeletePublishingDestination', 'CreateFilter',
              'UpdateFilter', 'CreateIPSet', 'UpdateIPSet'
          )
      )
      or (
          e.event_source = 'securityhub.amazonaws.com'
          and e.event_name in ('DisableSecurityHub', 'EnableSecurityHub', 'BatchDisableStandards', 'DisassociateMembers', 'DeleteMembers')
      )
      or (
          e.event_source = 'access-analyzer.amazonaws.com'
          and e.event_name in ('DeleteAnalyzer', 'CreateAnalyzer')
      )
      or (
          e.event_source = 'ec2.amazonaws.com'
          and e.event_name in ('DeleteFlowLogs', 'CreateFlowLogs')
      )
  )
  and ($since is null or (e.event_date >= cast($since as date) and e.event_time >= $since))
  and ($until is null or (e.event_date <= cast($until as date) and e.event_time < $until))
order by e.event_time, e.recipient_account_id, e.event_id, e.event_name
