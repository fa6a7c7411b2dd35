// What the other simulator answers to a case.
import { loadPolicy } from '@cloud-copilot/iam-policy'

const engine = './node_modules/@cloud-copilot/iam-simulate/dist/esm/'
const { authorize } = await import(`${engine}core_engine/CoreSimulatorEngine.js`)
const { AwsRequestImpl } = await import(`${engine}request/request.js`)
const { RequestContextImpl } = await import(`${engine}requestContext.js`)
const { DiscoveryContextKeyConstraints } = await import(
  `${engine}context_keys/discoveryContextKeyConstraints.js`
)

const parameters = { simulationMode: 'Strict', discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]) }

export function simulate(it) {
  const load = (document, name) => loadPolicy(document, { name })
  const levels = (list) => list.map((documents, level) => ({ orgIdentifier: `ou-${level}`, policies: documents.map((document, position) => load(document, `${position}`)) }))
  const context = new RequestContextImpl(it.context)
  const request = new AwsRequestImpl(it.principal, { resource: it.resource, accountId: it.owner }, it.action, context)
  return authorize({
    request,
    sessionPolicy: it.session && load(it.session, 'session'),
    identityPolicies: it.identity.map((document, position) => load(document, `${position}`)),
    serviceControlPolicies: levels(it.scps),
    resourceControlPolicies: levels(it.rcps),
    resourcePolicy: it.resourcePolicy && load(it.resourcePolicy, 'resource'),
    permissionBoundaries: it.boundary && [load(it.boundary, 'boundary')],
    vpcEndpointPolicies: it.endpoint && [load(it.endpoint, 'endpoint')],
    simulationParameters: parameters,
    serviceSettings: { s3: {} }
  }).result
}
