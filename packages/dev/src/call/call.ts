import { createInterface } from 'node:readline';
import { createClient } from '@acme/rpc/client';
import { hasRequestStream, methodName, policiesOf, policyOf } from '@acme/rpc/contract';
import { RpcError } from '@acme/rpc/errors';
import { file_google_rpc_error_details } from '@acme/rpc/gen/google/rpc/error_details_pb';
import {
  createRegistry,
  type DescMethod,
  fromJsonString,
  isMessage,
  type Message,
  toJsonString,
} from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { parseCommandLine } from '../cli/command-line.ts';
import { errorText, fail } from '../cli/fail.ts';
import { policies, services } from '../repository/load-services.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { descriptorsOf } from '../repository/service-entry.ts';
import { targetOf } from '../repository/services-access.ts';
import { requireRunningServices } from '../start/running-services.ts';

const methods = services.flatMap((service) =>
  descriptorsOf(service)
    .flatMap((descriptor) => descriptor.methods)
    .map((method) => ({ service, method, name: methodName(method) })),
);
const usage = `usage: npx svc call METHOD [JSON] [--sub NAME] [--scopes "SCOPE SCOPE"] [--data FOLDER]

JSON is the request. A method with a stream of requests reads them from stdin, one per line, when there is no JSON.
The token is for --sub (alice), with --scopes or else the scopes of the method. A call of an
anonymous method has no token unless there are --scopes.

methods:
${methods.map(({ name }) => `  ${name}`).join('\n')}`;

const { values, positionals } = parseCommandLine({
  usage,
  allowPositionals: true,
  options: {
    sub: { type: 'string', default: 'alice' },
    scopes: { type: 'string' },
    data: { type: 'string', default: defaultDataFolder },
  },
});

try {
  const [name = '', json] = positionals;
  const { service, method } = methods.find((each) => each.name === name) ?? fail(usage);
  const running = await requireRunningServices(values.data);
  const scopes = values.scopes?.split(/\s+/) ?? policyOf(method, policies).scopes;
  // Anonymous methods need no token, and a server without token settings accepts none.
  const token = scopes.length > 0 ? await running.token(values.sub, scopes, service.name) : undefined;
  const target = targetOf(running, service.name);
  const { credentials } = running;
  using client = createClient(method.parent, {
    target,
    credentials,
    policies: policiesOf(method.parent, policies),
    ...(token !== undefined && { token: () => token }),
  });
  const call = (client as unknown as Record<string, (request: unknown) => unknown>)[method.localName];
  const response = call?.(requestOf(method, json));
  if (response instanceof Promise) print(method, await response);
  else for await (const message of response as AsyncIterable<Message>) print(method, message);
} catch (error) {
  fail(error instanceof RpcError ? withDetails(error) : error);
}

/** Returns the request of the command line. A method with a stream of requests gets it, or those on stdin, one per line. */
function requestOf(method: DescMethod, json: string | undefined): Message | AsyncIterable<Message> {
  if (!hasRequestStream(method)) return fromJsonString(method.input, json ?? '{}');
  return messagesOf(method, json);
}

async function* messagesOf(method: DescMethod, json: string | undefined) {
  const lines = json === undefined ? createInterface({ input: process.stdin }) : [json];
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() !== '') yield fromJsonLine(method, line, number);
  }
}

function fromJsonLine(method: DescMethod, line: string, number: number): Message {
  try {
    return fromJsonString(method.input, line);
  } catch (error) {
    throw new Error(`line ${number}: ${(error as Error).message}`, { cause: error });
  }
}

function print(method: DescMethod, message: Message): void {
  process.stdout.write(`${toJsonString(method.output, message, { prettySpaces: 2 })}\n`);
}

/** Formats the status code, the message and every detail of an error. */
function withDetails(error: RpcError): string {
  const registry = createRegistry(file_google_rpc_error_details);
  const details = error.details.map((detail) => {
    if (isMessage(detail, AnySchema)) return `\n  ${detail.typeUrl} (${detail.value.length} bytes)`;
    const schema = registry.getMessage(detail.$typeName);
    return schema ? `\n  ${detail.$typeName} ${toJsonString(schema, detail)}` : '';
  });
  return `${errorText(error)}${details.join('')}`;
}
