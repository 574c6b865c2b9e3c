import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { EchoService } from '../gen/testing/v1/echo_service_pb.ts';

export type WebClient = Client<typeof EchoService>;

interface WebProtocol {
  readonly name: string;
  readonly protocol: 'connect' | 'grpc_web';
  readonly httpVersion: '1.1' | '2';
  /** Creates a transport that sends a token. */
  readonly transport: (baseUrl: string) => Transport;
}

/** Every protocol of the web port, encoding and version of HTTP. */
export const webProtocols: readonly WebProtocol[] = (['1.1', '2'] as const).flatMap((httpVersion) =>
  [true, false].flatMap((useBinaryFormat) =>
    (['connect', 'grpc_web'] as const).map((protocol) => ({
      name: `${protocol} ${useBinaryFormat ? 'binary' : 'JSON'} over HTTP/${httpVersion}`,
      protocol,
      httpVersion,
      transport: (baseUrl) => {
        const create = protocol === 'connect' ? createConnectTransport : createGrpcWebTransport;
        return create({ baseUrl, httpVersion, useBinaryFormat, interceptors: [withToken] });
      },
    })),
  ),
);

const withToken: NonNullable<Parameters<typeof createConnectTransport>[0]['interceptors']>[number] =
  (next) => (request) => {
    request.header.set('authorization', 'Bearer test-token');
    return next(request);
  };

/** Returns a client that calls a web port by Connect in JSON over HTTP/1.1, as browsers do. */
export function webClient(baseUrl: string): WebClient {
  const [, browser] = webProtocols.filter(
    ({ httpVersion, protocol }) => httpVersion === '1.1' && protocol === 'connect',
  );
  if (!browser) throw new Error('no such protocol');
  return createClient(EchoService, browser.transport(baseUrl));
}
