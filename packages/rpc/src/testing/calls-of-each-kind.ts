import { create, type DescMethod, toBinary } from '@bufbuild/protobuf';
import type { ServiceImplementation } from '../call/handler.ts';
import type { Client } from '../client/create-client.ts';
import type { CallOptions } from '../client/outgoing-call/call-options.ts';
import { EchoService } from './gen/testing/v1/echo_service_pb.ts';

export type EchoImplementation = ServiceImplementation<typeof EchoService>;

type EchoCall = (client: Client<typeof EchoService>, options?: CallOptions) => Promise<unknown>;

/** One call of each of the four kinds of RPC. Streams of responses are read to their end. */
export const callsOfEachKind: readonly (readonly [kind: string, call: EchoCall])[] = [
  ['unary', (client, options) => client.getEcho({ key: 'A' }, options)],
  ['server streaming', (client, options) => Array.fromAsync(client.watchEchoes({}, options))],
  ['client streaming', (client, options) => client.importEchoes([{ echo: { key: 'A' } }], options)],
  ['bidi streaming', (client, options) => Array.fromAsync(client.exchangeEchoes([{ key: 'A' }], options))],
];

const { getEcho, watchEchoes, importEchoes, exchangeEchoes } = EchoService.method;

/** A valid request of each of the four kinds of RPC, encoded. */
export const requestsOfEachKind: readonly (readonly [method: DescMethod, request: Uint8Array])[] = [
  [getEcho, toBinary(getEcho.input, create(getEcho.input, { key: 'A' }))],
  [watchEchoes, toBinary(watchEchoes.input, create(watchEchoes.input))],
  [importEchoes, toBinary(importEchoes.input, create(importEchoes.input, { echo: { key: 'A' } }))],
  [exchangeEchoes, toBinary(exchangeEchoes.input, create(exchangeEchoes.input, { key: 'A' }))],
];

/** Returns an implementation with the same handler for all four kinds, regardless of its types. */
export function handlerOfEachKind(handler: (...parameters: never[]) => unknown): Partial<EchoImplementation> {
  const any = handler as never;
  return { getEcho: any, watchEchoes: any, importEchoes: any, exchangeEchoes: any };
}
