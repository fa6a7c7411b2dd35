-- rows: 25
SELECT
    eventVersion,
    userIdentity.type, userIdentity.principalID, userIdentity.arn, userIdentity.accountID, userIdentity.accessKeyID,
    userIdentity.username, userIdentity.invokedBy, userIdentity.identityProvider,
    userIdentity.sessionContext.attributes.creationDate, userIdentity.sessionContext.attributes.mfaAuthenticated,
    userIdentity.sessionContext.sessionIssuer.type, userIdentity.sessionContext.sessionIssuer.principalID,
    userIdentity.sessionContext.sessionIssuer.arn, userIdentity.sessionContext.sessionIssuer.accountID,
    userIdentity.sessionContext.sessionIssuer.username, userIdentity.sessionContext.sourceIdentity,
    userIdentity.sessionContext.webidfederationData.federatedProvider,
    userIdentity.sessionContext.webidfederationData.attributes, userIdentity.sessionContext.ec2RoleDelivery,
    eventTime, eventSource, eventName, awsRegion, sourceIpAddress, userAgent, errorCode, errorMessage,
    requestParameters, responseElements, additionalEventData, requestID, eventID, readOnly, resources, eventType,
    apiVersion, managementEvent, recipientAccountID, sharedEventID, vpcEndPointID, vpcEndpointAccountId,
    serviceEventDetails, addendum, edgeDeviceDetails, insightDetails, eventCategory, tlsDetails.tlsVersion,
    tlsDetails.cipherSuite, tlsDetails.clientProvidedHostHeader, sessionCredentialFromConsole, eventContext
FROM cloudtrail_logs
