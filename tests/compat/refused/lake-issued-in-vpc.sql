-- fails: Field ec2issuedinvpc not found
-- listed: userIdentity.sessionContext.ec2IssuedInVPC
SELECT userIdentity.sessionContext.ec2IssuedInVPC FROM cloudtrail_logs
