// Cases in which the other simulator and the documentation of AWS differ: `node disputed.mjs > disputed.jsonl`.
// Each has the sentence that decides and the right answer beside that of the simulator. See README.md.
import { simulate } from './simulate.mjs'

const HOME = '111122223333'
const session = `arn:aws:sts::${HOME}:assumed-role/reader/ann`
const federated = `arn:aws:sts::${HOME}:federated-user/ann`
const user = `arn:aws:iam::${HOME}:user/ann`
const all = { Effect: 'Allow', Action: '*', Resource: '*' }
const policy = (...statements) => ({ Version: '2012-10-17', Statement: statements })
const denied = (extra) => [policy(all, { Effect: 'Deny', Action: '*', Resource: '*', ...extra })]

// A request that nothing but what is given allows or denies.
function request(given) {
  return {
    principal: user,
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::data/b',
    owner: HOME,
    context: {},
    identity: [],
    scps: [],
    rcps: [],
    ...given
  }
}

const guide = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/'
const logic = `${guide}reference_policies_evaluation-logic_policy-eval-denyallow.html`
const operators = `${guide}reference_policies_elements_condition_operators.html`
const variables = `${guide}reference_policies_variables.html`
const direct =
  'Permissions granted directly to a session are not limited by an implicit deny in an identity-based policy, a permissions boundary, or session policy.'
const nothing = policy({ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' })
const grant = (principal, extra) => policy({ ...all, Principal: principal, ...extra })
const isNull =
  'Inverted condition operators like StringNotEquals or StringNotLike do match against a null value, as the value of the condition key they are testing against is not equal to or like the effectively null value.'
const matchesNothing =
  'If a variable that has no value in the authorization context is used as part of the Resource or NotResource element of a policy, the resource that includes a policy variable with no value will not match any resource.'

const disputed = [
  ['root', logic, 'By default, all requests are implicitly denied with the exception of the AWS account root user, which has full access.', 'Allowed',
    { principal: `arn:aws:iam::${HOME}:root` }],
  ['session-arn-and-session-policy', logic, direct, 'Allowed',
    { principal: session, session: nothing, resourcePolicy: grant({ AWS: session }) }],
  ['federated-arn-and-session-policy', logic, direct, 'Allowed',
    { principal: federated, session: nothing, resourcePolicy: grant({ AWS: federated }) }],
  ['everybody-and-session-policy', logic,
    'Permissions boundaries and session policies do not limit permissions granted using the aws:PrincipalArn condition key with a wildcard(*) in the Principal element, unless the identity-based policies contain an explicit deny.',
    'Allowed',
    { principal: session, session: nothing, context: { 'aws:PrincipalArn': `arn:aws:iam::${HOME}:role/reader` },
      resourcePolicy: grant('*', { Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${HOME}:role/reader` } } }) }],
  ['role-without-trust', logic,
    'IAM role trust policies and KMS key policies are exceptions to this logic, because they must explicitly allow access for principals.',
    'ImplicitlyDenied',
    { action: 'sts:AssumeRole', resource: `arn:aws:iam::${HOME}:role/deploy`, identity: [policy(all)] }],
  ['endpoint-principal', 'https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html',
    'An endpoint policy is a resource-based policy that you attach to a VPC endpoint to control which AWS principals can use the endpoint to access an AWS service.',
    'ImplicitlyDenied',
    { identity: [policy(all)], endpoint: grant({ AWS: `arn:aws:iam::${HOME}:user/bob` }) }],
  ['epoch', operators, 'You must specify date/time values with one of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX) time.',
    'ExplicitlyDenied',
    { context: { 'aws:CurrentTime': '2020-03-01T00:00:00Z' }, identity: denied({ Condition: { DateEquals: { 'aws:CurrentTime': '1583020800' } } }) }],
  ['whole-network', operators, 'The value must be in the standard CIDR format (for example, 203.0.113.0/24 or 2001:DB8:1234:5678::/64).', 'ExplicitlyDenied',
    { context: { 'aws:SourceIp': '10.1.2.3' }, identity: denied({ Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } }) }],
  ['not-ip-other-family', operators, 'NotIpAddress: All IP addresses except the specified IP address or range', 'ExplicitlyDenied',
    { context: { 'aws:SourceIp': '2001:db8::1' }, identity: denied({ Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.7' } } }) }],
  ['negated-null-variable', variables, isNull, 'ExplicitlyDenied',
    { context: { 'aws:SourceVpc': 'red' }, identity: denied({ Condition: { StringNotEquals: { 'aws:SourceVpc': '${aws:RequestTag/Owner}' } } }) }],
  ['not-resource-null-variable', variables, matchesNothing, 'ExplicitlyDenied',
    { identity: [policy(all, { Effect: 'Deny', Action: '*', NotResource: ['arn:aws:s3:::data/${aws:username}', 'arn:aws:s3:::other/*'] })] }],
  ['variable-in-arn-part', variables,
    'You can use a policy variable for Condition values in any condition that involves the string operators or the ARN operators.',
    'ExplicitlyDenied',
    { context: { 'aws:PrincipalAccount': HOME, 'aws:SourceArn': `arn:aws:iam::${HOME}:role/reader` },
      identity: denied({ Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:iam::${aws:PrincipalAccount}:role/reader' } } }) }],
  ['escaped-star-in-equals', variables,
    '${*} - use where you need an * (asterisk) character. [...] These predefined policy variables can be used in any string where you can use regular policy variables.',
    'ExplicitlyDenied',
    { context: { 'aws:SourceVpc': 'a*b' }, identity: denied({ Condition: { StringEquals: { 'aws:SourceVpc': 'a${*}b' } } }) }],
  ['variables-of-2008', variables,
    "Variables were introduced in version 2012-10-17. Earlier versions of the policy language don't support policy variables. If you don't include the Version element and set it to an appropriate version date, variables like ${aws:username} are treated as literal strings in the policy.",
    'Allowed',
    { context: { 'aws:username': 'ann' }, resource: 'arn:aws:s3:::data/ann',
      identity: [policy(all), { Version: '2008-10-17', Statement: { Effect: 'Deny', Action: '*', Resource: 'arn:aws:s3:::data/${aws:username}' } }] }],
  ['any-value-if-exists', operators,
    'You can add IfExists to the end of any condition operator name except the Null condition [...]. If the key is not present, evaluate the condition element as true.',
    'ExplicitlyDenied',
    { identity: denied({ Condition: { 'ForAnyValue:StringEqualsIfExists': { 'aws:TagKeys': 'red' } } }) }],
  ['not-principal-in-part', `${guide}reference_policies_elements_notprincipal.html`,
    'When you use NotPrincipal with Deny, you must also specify the account ARN of the not-denied principal. Otherwise, the policy might deny access to the entire account containing the principal.',
    'Unknown',
    { identity: [policy(all)], resourcePolicy: policy({ Effect: 'Deny', NotPrincipal: { AWS: user }, Action: '*', Resource: '*' }) }]
]

for (const [name, page, sentence, right, given] of disputed) {
  const it = request(given)
  process.stdout.write(JSON.stringify({ name, page, sentence, right, ...it, answer: simulate(it) }) + '\n')
}
