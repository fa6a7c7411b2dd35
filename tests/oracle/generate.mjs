// Random requests and policies with the answers of another simulator: `node generate.mjs SEED COUNT > cases.jsonl`.
// The same seed and count give the same lines. See README.md.
import { simulate } from './simulate.mjs'

const [seed, count] = process.argv.slice(2).map(Number)

let state = seed >>> 0
function random() {
  state = (state + 0x6d2b79f5) >>> 0
  let mixed = state
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}
const chance = (share) => random() < share
const pick = (list) => list[Math.floor(random() * list.length)]
const some = (list, most) => Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(list))
const oneOrMany = (list) => (list.length === 1 && chance(0.5) ? list[0] : list)

const HOME = '111122223333'
const AWAY = '444455556666'

const PRINCIPALS = [
  `arn:aws:sts::${HOME}:assumed-role/reader/ann`,
  `arn:aws:sts::${HOME}:assumed-role/reader/bob`,
  `arn:aws:iam::${HOME}:user/ann`,
  `arn:aws:iam::${HOME}:user/team/bob`,
  `arn:aws:sts::${AWAY}:assumed-role/reader/ann`,
  `arn:aws:iam::${HOME}:root`,
  'cloudtrail.amazonaws.com',
  `arn:aws:sts::${HOME}:federated-user/ann`
]

// Who may stand in a policy, besides the principal of the request and its role and account.
const NAMED = [
  `arn:aws:iam::${HOME}:role/reader`,
  `arn:aws:iam::${AWAY}:role/reader`,
  `arn:aws:sts::${HOME}:assumed-role/reader/ann`,
  `arn:aws:iam::${HOME}:user/ann`,
  `arn:aws:sts::${HOME}:federated-user/ann`,
  `arn:aws:iam::${HOME}:root`,
  HOME,
  AWAY,
  '*'
]

const SERVICES = {
  's3:GetObject': ['arn:aws:s3:::data/home/ann/a.txt', 'arn:aws:s3:::data/b', 'arn:aws:s3:::data-logs/x/y'],
  's3:PutObject': ['arn:aws:s3:::data/home/ann/a.txt', 'arn:aws:s3:::data/a$b'],
  'sqs:SendMessage': [`arn:aws:sqs:eu-west-1:${HOME}:jobs`, `arn:aws:sqs:us-east-1:${HOME}:jobs-old`],
  'secretsmanager:GetSecretValue': [`arn:aws:secretsmanager:eu-west-1:${HOME}:secret:db-AbCdEf`],
  'kms:Decrypt': [`arn:aws:kms:eu-west-1:${HOME}:key/1111`, `arn:aws:kms:eu-west-1:${HOME}:key/2222`],
  'sts:AssumeRole': [`arn:aws:iam::${HOME}:role/deploy`]
}

const ACTIONS = {
  s3: ['s3:*', 's3:Get*', 's3:GetObject', 'S3:putobject', 's3:?etObject', '*', 's3:ListBucket', 's3:*Object'],
  sqs: ['sqs:*', 'sqs:SendMessage', 'sqs:send*', '*', 'sqs:ReceiveMessage'],
  secretsmanager: ['secretsmanager:*', 'secretsmanager:Get*', '*', 'secretsmanager:PutSecretValue'],
  kms: ['kms:*', 'kms:Decrypt', 'kms:De*', '*', 'kms:Encrypt'],
  sts: ['sts:AssumeRole', 'sts:*', '*', 'sts:TagSession']
}

const RESOURCES = {
  s3: [
    '*', 'arn:aws:s3:::data/*', 'arn:aws:s3:::data/home/${aws:username}/*', 'arn:aws:s3:::data*/*', 'arn:aws:s3:::dat?/b',
    'arn:aws:s3:::data/a${$}b', 'arn:aws:s3:::data/${aws:PrincipalTag/team, \'home\'}/*', 'arn:aws:s3:::other/*',
    'arn:aws:s3:::data/home/${aws:PrincipalTag/team}/*', 'arn:aws:s3:::DATA/*'
  ],
  sqs: ['*', `arn:aws:sqs:*:${HOME}:jobs`, `arn:aws:sqs:eu-west-1:${HOME}:jobs*`, 'arn:aws:sqs:eu-*:*:*', `arn:aws:sqs:eu-west-1:${AWAY}:jobs`],
  secretsmanager: ['*', `arn:aws:secretsmanager:*:${HOME}:secret:db-??????`, `arn:aws:secretsmanager:eu-west-1:${HOME}:secret:web-*`],
  kms: ['*', `arn:aws:kms:eu-west-1:${HOME}:key/*`, `arn:aws:kms:eu-west-1:${HOME}:key/1111`],
  sts: ['*', `arn:aws:iam::${HOME}:role/*`, `arn:aws:iam::${HOME}:role/deploy`, `arn:aws:iam::${HOME}:role/\${aws:PrincipalTag/team}`]
}

// Keys by type: values that a request may have, values that a policy may ask for.
const TEXT = ['red', 'Red', 'blue', 'home', 'deploy', 'a*b', 'red-1']
const KEYS = {
  String: {
    keys: ['aws:PrincipalTag/team', 'aws:SourceVpc', 'aws:username', 'aws:RequestTag/Owner', 'AWS:PrincipalTag/Team'],
    found: TEXT,
    wanted: [...TEXT, 'r*', '?ed', '*', '${aws:username}', "${aws:SourceVpc, 'red'}", 'x${aws:RequestTag/Owner}']
  },
  Numeric: { keys: ['aws:MultiFactorAuthAge', 's3:max-keys'], found: ['9', '10', '10.5', '-3'], wanted: ['9', '10', '10.0', '10.5', '-3', '100'] },
  Date: {
    keys: ['aws:CurrentTime', 'aws:TokenIssueTime'],
    found: ['2020-02-29T12:00:00Z', '2020-03-01T00:00:00Z', '2021-01-01T00:00:00Z'],
    wanted: ['2020-02-29T12:00:00Z', '2020-03-01T00:00:00Z', '2020-12-31T23:59:59Z', '2020-03-01T01:30:00+01:30']
  },
  Bool: { keys: ['aws:SecureTransport', 'aws:MultiFactorAuthPresent'], found: ['true', 'false'], wanted: ['true', 'false'] },
  Binary: { keys: ['kms:EncryptionContext:blob'], found: ['Zm8=', 'Zm9v'], wanted: ['Zm8=', 'Zm9v', 'AAAA'] },
  Ip: {
    keys: ['aws:SourceIp', 'aws:VpcSourceIp'],
    found: ['10.1.2.3', '203.0.113.7', '2001:db8::1', '2001:db8:1::1'],
    wanted: ['10.0.0.0/8', '203.0.113.7/32', '203.0.113.0/25', '128.0.0.0/1', '2001:db8::/48', '2001:db8::1/128', '10.1.2.3/32']
  },
  Arn: {
    keys: ['aws:PrincipalArn', 'aws:SourceArn'],
    found: [`arn:aws:iam::${HOME}:role/reader`, `arn:aws:sns:eu-west-1:${HOME}:a:b`, `arn:aws:iam::${AWAY}:role/team/x`],
    wanted: [`arn:aws:iam::${HOME}:role/reader`, 'arn:aws:iam::*:role/*', `arn:aws:sns:*:${HOME}:a*`, `arn:*:iam::${AWAY}:role/*/x`,
      `arn:aws:iam::${HOME}:role/read?r`, `arn:aws:iam::${HOME}:role/\${aws:PrincipalTag/team}`]
  }
}
const OPERATORS = {
  String: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike'],
  Numeric: ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals'],
  Date: ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
  Bool: ['Bool'],
  Binary: ['BinaryEquals'],
  Ip: ['IpAddress', 'NotIpAddress'],
  Arn: ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike']
}
// Keys that may have several values: only set operators are used with them, and no variables refer to them.
const LISTS = { 'aws:TagKeys': 'String', 'aws:CalledVia': 'String', 'aws:SourceVpcArn': 'Arn' }

function context() {
  const values = {}
  for (const { keys, found } of Object.values(KEYS)) {
    for (const key of keys) if (chance(0.5) && !(key in values)) values[key] = pick(found)
  }
  delete values['AWS:PrincipalTag/Team']
  for (const [key, type] of Object.entries(LISTS)) {
    if (chance(0.6)) values[key] = Array.from({ length: Math.floor(random() * 3) }, () => pick(KEYS[type].found))
  }
  if (chance(0.3)) values['aws:PrincipalAccount'] = HOME
  return values
}

function condition() {
  const blocks = {}
  for (let block = 0; block < 1 + (chance(0.25) ? 1 : 0); block++) {
    if (chance(0.12)) {
      blocks[chance(0.8) ? 'Null' : 'null'] = { [pick(pick(Object.values(KEYS)).keys)]: pick(['true', 'false']) }
      continue
    }
    const isList = chance(0.25)
    const list = pick(Object.keys(LISTS))
    const type = isList ? LISTS[list] : pick(Object.keys(KEYS))
    let operator = pick(OPERATORS[type])
    const set = isList ? pick(['ForAllValues:', 'ForAnyValue:']) : ''
    if (chance(0.2) && set !== 'ForAnyValue:') operator += 'IfExists'
    operator = set + operator
    const keys = {}
    for (let key = 0; key < 1 + (chance(0.2) ? 1 : 0); key++) {
      const isNegated = operator.includes('Not')
      const wanted = KEYS[type].wanted.filter((value) => !isNegated || !/\$\{aws:[^,]*\}/.test(value))
      keys[isList ? list : pick(KEYS[type].keys)] = oneOrMany(some(wanted, 3))
    }
    blocks[operator] = keys
  }
  return blocks
}

function statement(effect, service, { named, isTrust, isSession }) {
  const result = { Effect: effect }
  if (chance(0.15)) result.Sid = pick(['One', 'Two'])
  if (named) {
    // Whether the denial of a user hits the sessions that it federated is not written anywhere.
    const isFederated = named[0].includes(':federated-user/')
        const isDisputed = (name) => isSession && !isFederated && (name === '*' || name.includes(':assumed-role/'))
    const isAskable = (name) => (effect === 'Allow' ? !isDisputed(name) : !isFederated || !name.includes(':user/'))
    const set = { AWS: oneOrMany(some([...named, ...NAMED].filter(isAskable), 2)) }
    if (chance(0.2)) set.Service = pick(['cloudtrail.amazonaws.com', 'sns.amazonaws.com'])
    if (effect === 'Deny' && chance(0.2)) result.NotPrincipal = { AWS: chance(0.6) ? named : [`arn:aws:iam::${AWAY}:user/nobody`] }
    else result.Principal = chance(0.15) && !(isSession && effect === 'Allow') ? '*' : chance(0.15) ? { Service: oneOrMany(some(['cloudtrail.amazonaws.com', 'sns.amazonaws.com'], 2)) } : set
  }
  const isBroad = effect === 'Allow' && chance(0.5)
  const actions = isBroad ? '*' : oneOrMany(some(ACTIONS[service], 2))
  if (chance(0.1)) result.NotAction = actions
  else result.Action = actions
  const resources = isBroad ? '*' : oneOrMany(some(RESOURCES[service], 2))
  const isPlain = !JSON.stringify(resources).includes('${aws')
  if (isTrust) {
    // Trust policies have no resources.
  } else if (chance(0.1) && isPlain) result.NotResource = resources
  else result.Resource = resources
  if (chance(effect === 'Deny' ? 0.7 : 0.35)) result.Condition = condition()
  return result
}

function policy(service, denies = 0.25, target = {}) {
  const statements = Array.from({ length: 1 + (chance(0.4) ? 1 : 0) }, () => statement('Allow', service, target))
  if (chance(denies)) statements.splice(Math.floor(random() * 2), 0, statement('Deny', service, target))
  const usesVariables = JSON.stringify(statements).includes('${')
  return { Version: usesVariables || chance(0.9) ? '2012-10-17' : '2008-10-17', Statement: oneOrMany(statements) }
}

const EVERYTHING = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }
const FULL = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' } }

function namesOf(principal) {
  if (!principal.startsWith('arn:')) return [`arn:aws:iam::${HOME}:root`]
  const account = principal.split(':')[4]
  const names = [principal, `arn:aws:iam::${account}:root`]
  const role = principal.match(/assumed-role\/([^/]+)\//)
  if (role) names.push(`arn:aws:iam::${account}:role/${role[1]}`)
  if (principal.includes(':federated-user/')) names.push(`arn:aws:iam::${account}:user/ann`)
  return names
}

function makeCase() {
  const action = pick(Object.keys(SERVICES))
  const service = action.split(':')[0]
  let principal = pick(PRINCIPALS)
  if (service === 'sts' && principal.endsWith(':root')) principal = PRINCIPALS[0]
  const named = namesOf(principal)
  const isService = !principal.startsWith('arn:')
  const isRoot = principal.endsWith(':root')
  const isFederated = principal.includes(':federated-user/')
  const isSession = isFederated || principal.includes(':assumed-role/')
  const it = { principal, action, resource: pick(SERVICES[action]), owner: HOME, context: context() }
  // The simulator must be told what the root user may do; a service has no policies.
  it.identity = isService ? [] : isRoot ? [EVERYTHING] : Array.from({ length: Math.floor(random() * 3) }, () => policy(service))
  if (!isService && !isRoot && chance(0.25)) it.boundary = policy(service, 0.15)
  if (isFederated || (isSession && chance(0.25))) it.session = isFederated ? { ...EVERYTHING, Statement: [EVERYTHING.Statement, ...[policy(service, 0.15).Statement].flat()] } : policy(service, 0.15)
  it.scps = isService || chance(0.6) ? [] : Array.from({ length: 1 + Math.floor(random() * 2) }, () => [policy(service, 0.2)])
  it.rcps = chance(0.75) ? [] : [[FULL, policy(service, 1)].map((document, position) => position === 0 ? document : denyOnly(document))]
  if (service === 'kms' || service === 'sts' || chance(0.6)) it.resourcePolicy = policy(service, 0.25, { named, isTrust: service === 'sts', isSession: Boolean(it.session) })
  if (chance(0.12)) it.endpoint = forEverybody(policy(service, 0.15))
  return it
}

// Policies of gateway endpoints are about everybody.
function forEverybody(document) {
  const statements = [document.Statement].flat().map((statement) => ({ ...statement, Principal: '*' }))
  return { ...document, Statement: statements }
}

// Resource control policies of customers only deny, and are about everybody.
function denyOnly(document) {
  const denying = document.Statement.filter?.((statement) => statement.Effect === 'Deny') ?? []
  const statements = denying.map(({ NotPrincipal, Principal, Sid, ...rest }) => ({ ...rest, Principal: '*', Resource: rest.Resource ?? (rest.NotResource ? undefined : '*') }))
  return { Version: document.Version, Statement: statements }
}

for (let number = 0; number < count; number++) {
  const it = makeCase()
  it.answer = simulate(it)
  process.stdout.write(JSON.stringify(it) + '\n')
}
