import { type Policies, policyOf } from '@acme/rpc/contract';
import { method as methodPolicy } from '@acme/rpc/gen/policy/v1/policy_pb';
import { type DescMethod, getOption } from '@bufbuild/protobuf';
import { commentOf } from '../../descriptors/source-location.ts';
import { described, enumSchema, messageSchema, reference, type Schema } from './json-schema.ts';
import { isGet, reachableTypes, type ServiceContract } from './service-contract.ts';

/** HTTP statuses of the status codes (https://connectrpc.com/docs/protocol#error-codes). */
const httpStatuses: Readonly<Record<string, number>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

const errorSchema: Schema = {
  description: 'Error of the Connect protocol.',
  type: 'object',
  required: ['code'],
  properties: {
    code: { type: 'string', enum: Object.keys(httpStatuses).map(connectCode) },
    message: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'value'],
        properties: {
          type: { type: 'string', description: 'Full name of the message: `google.rpc.ErrorInfo`.' },
          value: { type: 'string', contentEncoding: 'base64', description: 'The message in binary.' },
          debug: { description: 'The message in JSON.' },
        },
      },
    },
  },
};

const timeoutHeader = {
  name: 'Connect-Timeout-Ms',
  in: 'header',
  description: 'Deadline of the call in milliseconds.',
  schema: { type: 'integer', minimum: 0 },
};

const versionHeader = {
  name: 'Connect-Protocol-Version',
  in: 'header',
  schema: { const: '1' },
};

/**
 * Returns the OpenAPI 3.1 document of a service's unary methods on the Connect port, in JSON. Streams have frames, which
 * OpenAPI cannot describe. Bounds of 64-bit numbers and rules in CEL are left out.
 */
export function printOpenApi(contract: ServiceContract, policies: Policies): string {
  const methods = contract.services
    .flatMap((service) => service.methods)
    .filter(({ methodKind }) => methodKind === 'unary');
  const { messages, enums } = reachableTypes(methods);
  const document = {
    openapi: '3.1.0',
    info: {
      title: contract.name,
      version: contract.services.map(({ file }) => file.proto.package).join(', '),
      ...described(contract.services.map(commentOf).join('\n\n')),
    },
    tags: contract.services.map((service) => ({ name: service.typeName })),
    paths: Object.fromEntries(
      methods.map((method) => [`/${method.parent.typeName}/${method.name}`, pathItem(method, policies)]),
    ),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        ...Object.fromEntries(messages.map((each) => [each.typeName, messageSchema(each)])),
        ...Object.fromEntries(enums.map((each) => [each.typeName, enumSchema(each)])),
        'connect.error': errorSchema,
      },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function pathItem(method: DescMethod, policies: Policies): Schema {
  const shared = operation(method, policies);
  const post = {
    ...shared,
    parameters: [versionHeader, timeoutHeader],
    requestBody: { required: true, content: json(method.input.typeName) },
  };
  if (!isGet(method)) return { post };
  const parameters = [
    { name: 'message', in: 'query', required: true, content: json(method.input.typeName) },
    { name: 'encoding', in: 'query', required: true, schema: { const: 'json' } },
    { name: 'connect', in: 'query', schema: { const: 'v1' } },
    timeoutHeader,
  ];
  return { post, get: { ...shared, operationId: `${shared.operationId}.get`, parameters } };
}

function operation(method: DescMethod, policies: Policies): Schema & { readonly operationId: string } {
  const { scopes } = policyOf(method, policies);
  return {
    operationId: `${method.parent.typeName}.${method.name}`,
    tags: [method.parent.typeName],
    ...described(commentOf(method)),
    ...(method.deprecated ? { deprecated: true } : {}),
    security: scopes.length === 0 ? [{}, { token: [] }] : [{ token: scopes }],
    responses: {
      200: { description: method.output.name, content: json(method.output.typeName) },
      ...errorResponses(method),
      default: { description: 'Any other error.', content: json('connect.error') },
    },
  };
}

/** Returns a response for each HTTP status of the error reasons. */
function errorResponses(method: DescMethod): Schema {
  const byStatus = new Map<number, string[]>();
  for (const { code, reason } of getOption(method, methodPolicy).errors) {
    const status = httpStatuses[code] ?? 500;
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${connectCode(code)} \`${reason}\``]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, reasons]) => [
      status,
      { description: reasons.join(', '), content: json('connect.error') },
    ]),
  );
}

function json(typeName: string): Schema {
  return { 'application/json': { schema: reference(typeName) } };
}

/** Connect writes the codes in lower case, and CANCELLED with one L. */
function connectCode(code: string): string {
  return code === 'CANCELLED' ? 'canceled' : code.toLowerCase();
}
