import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { file_google_rpc_error_details } from '@acme/gen/google/rpc/error_details_pb';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { createClient } from '@acme/rpc/client/create-client';
import { codeName, RpcError } from '@acme/rpc/errors';
import { policyOf } from '@acme/rpc/policy';
import {
  createRegistry,
  type DescMethod,
  fromJsonString,
  type Message,
  toJsonString,
} from '@bufbuild/protobuf';
import { fail } from './fail.ts';
import { defaultDataFolder } from './paths.ts';
import { findRunningPair } from './running-pair.ts';

const usage = `usage: npm run call -- orders.v1.OrderService/GetOrder '{"id": "…"}' [--sub alice] [--scopes "…"] [--data FOLDER]
       npm run call -- inventory.v1.InventoryService/CountStock < counts.ndjson`;
const services = [OrderService, InventoryService];

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
  const { service, method } = findMethod(name);
  const pair = (await findRunningPair(values.data)) ?? fail('no pair is running: npm start');
  // By default a token that may do just this, as the contract says what it takes.
  const scopes = values.scopes?.split(/\s+/) ?? policyOf(method).scopes;
  const token = await pair.token(values.sub, scopes);
  const target = service === OrderService ? pair.ordersTarget : pair.inventoryTarget;
  const { credentials } = pair;
  using client = createClient(service, { target, credentials, token: () => token });
  const call = (client as unknown as Record<string, (request: unknown) => unknown>)[method.localName];
  const answer = call?.(requestOf(method, json));
  if (answer instanceof Promise) print(method, await answer);
  else for await (const message of answer as AsyncIterable<Message>) print(method, message);
} catch (error) {
  fail(error instanceof RpcError ? explained(error) : error);
}

function findMethod(name: string) {
  for (const service of services)
    for (const method of service.methods)
      if (`${service.typeName}/${method.name}` === name) return { service, method };
  return fail(usage);
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
