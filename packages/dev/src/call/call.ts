import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { file_google_rpc_error_details } from '@acme/gen/google/rpc/error_details_pb';
import { policyOf } from '@acme/rpc/call/policy';
import { createClient } from '@acme/rpc/client/create-client';
import { codeName, RpcError } from '@acme/rpc/errors/rpc-error';
import {
  createRegistry,
  type DescMethod,
  fromJsonString,
  type Message,
  toJsonString,
} from '@bufbuild/protobuf';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { services } from '../repository/services.ts';
import { targetOf } from '../repository/services-access.ts';
import { findRunningServices } from '../start/running-services.ts';

const methods = services.flatMap((service) =>
  service.descriptor.methods.map((method) => ({
    service,
    method,
    name: `${service.descriptor.typeName}/${method.name}`,
  })),
);
const usage = `usage: npm run call -- METHOD '{"id": "…"}' [--sub alice] [--scopes "…"] [--data FOLDER]
A method that takes a stream reads its messages from stdin, one a line: npm run call -- METHOD < messages.ndjson
${methods.map(({ name }) => `  ${name}`).join('\n')}`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sub: { type: 'string', default: 'alice' },
      scopes: { type: 'string' },
      data: { type: 'string', default: defaultDataFolder },
    },
  });
  const [name = '', json] = positionals;
  const { service, method } = methods.find((each) => each.name === name) ?? fail(usage);
  const running = (await findRunningServices(values.data)) ?? fail('no service is running: npm start');
  // By default a token that may do just this, as the contract says what it takes.
  const scopes = values.scopes?.split(/\s+/) ?? policyOf(method).scopes;
  const token = await running.token(values.sub, scopes, service.name);
  const target = targetOf(running, service.name);
  const { credentials } = running;
  using client = createClient(service.descriptor, { target, credentials, token: () => token });
  const call = (client as unknown as Record<string, (request: unknown) => unknown>)[method.localName];
  const answer = call?.(requestOf(method, json));
  if (answer instanceof Promise) print(method, await answer);
  else for await (const message of answer as AsyncIterable<Message>) print(method, message);
} catch (error) {
  fail(error instanceof RpcError ? explained(error) : error);
}

/** The message of the command line; of a method that takes a stream, that one, or else those on stdin, one a line. */
function requestOf(method: DescMethod, json: string | undefined): Message | AsyncIterable<Message> {
  const isStream = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  if (!isStream) return fromJsonString(method.input, json ?? '{}');
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

/** The code, the message, and every detail. */
function explained(error: RpcError): string {
  const registry = createRegistry(file_google_rpc_error_details);
  const details = error.details.map((detail) => {
    const schema = registry.getMessage(detail.$typeName);
    return schema ? `\n  ${detail.$typeName} ${toJsonString(schema, detail)}` : '';
  });
  return `${codeName(error.code)}: ${error.message}${details.join('')}`;
}
