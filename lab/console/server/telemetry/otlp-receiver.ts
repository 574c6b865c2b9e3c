import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpError } from '../http/http-error.ts';
import { isHost, loopbackNames } from '../http/own-requests.ts';
import { parseJson, readBody } from '../http/read-body.ts';
import type { OtlpLogs, OtlpMetrics, OtlpTraces } from './otlp-json.ts';

/** Receives the telemetry of the services by OTLP over HTTP, as JSON. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly port: number;
}

export interface OtlpReceiverOptions {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** Name of this machine for the services, besides those of loopback. */
  readonly hostName?: string | undefined;
  readonly onTraces: (traces: OtlpTraces) => void;
  readonly onMetrics: (metrics: OtlpMetrics) => void;
  readonly onLogs: (logs: OtlpLogs) => void;
}

/** Limit of a body, as it is sent and inflated. */
const maxBodyBytes = 4 * 1024 * 1024;
const maxConnections = 100;

export async function startOtlpReceiver(options: OtlpReceiverOptions): Promise<OtlpReceiver> {
  const receivers: Readonly<Record<string, (json: never) => void>> = {
    '/v1/traces': options.onTraces,
    '/v1/metrics': options.onMetrics,
    '/v1/logs': options.onLogs,
  };
  const hostNames = [...loopbackNames, ...(options.hostName ? [options.hostName] : [])];
  const server = createServer(async (request, response) => {
    try {
      const { method, url = '', headers } = request;
      if (!isHost(headers.host ?? '', hostNames, portOf())) throw new HttpError(421, 'the host is another');
      // Exporters have none of a browser's headers, and a foreign page cannot send this content type without asking.
      if (headers.origin !== undefined) throw new HttpError(403, 'no page sends telemetry');
      const receive = receivers[url];
      if (!receive || method !== 'POST') throw new HttpError(404, `there is no ${method} ${url}`);
      if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
        throw new HttpError(415, 'the protocol must be http/json');
      const json = parseJson(await readBody(request, maxBodyBytes));
      if (typeof json !== 'object' || json === null) throw new HttpError(400, 'the body is not an object');
      receive(json as never);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } catch (error) {
      // A body that has another form than OTLP's ends in an error of any kind.
      const status = error instanceof HttpError ? error.status : 400;
      response.writeHead(status, { connection: 'close' }).end(error instanceof Error ? error.message : '');
    }
  });
  const portOf = () => (server.address() as AddressInfo).port;
  server.maxConnections = maxConnections;
  await once(server.listen(options.port, options.host), 'listening');
  return {
    port: portOf(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}
