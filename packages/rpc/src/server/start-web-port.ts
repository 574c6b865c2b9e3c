import { Code } from '../errors/rpc-error.ts';
import type { ServerTls } from '../tls/server-credentials.ts';
import type { StartWebOptions } from '../web/start-web.ts';
import type { WebLimits } from '../web/web-limits.ts';
import type { WebServer, WebServerOptions } from '../web/web-server.ts';
import { ListenError } from './listen-error.ts';
import type { ReportUnhandled } from './unhandled-calls.ts';
import { bindUnixSocket, unixSocketPath } from './unix-socket.ts';

/** The port for browsers and `curl`: Connect and gRPC-Web over HTTP/1.1 and HTTP/2. */
export interface WebOptions {
  /** `host:port`, `[ipv6]:port` or `unix:/path`; port 0 means a free port. */
  readonly address: string;
  /** Exact origins whose scripts may call, or `*` for all. Without one, browsers call from the port's own origin only. */
  readonly origins: readonly string[];
  /** The TLS of the server; plain text when absent. */
  readonly tls?: ServerTls | undefined;
  /** Overrides of `webLimits`, such as times that a test can wait for. */
  readonly limits?: Partial<WebLimits>;
}

interface WebPortParts extends Pick<StartWebOptions, 'services' | 'chains' | 'callOptions' | 'log'> {
  readonly report: ReportUnhandled;
}

/**
 * Opens the web port of a server.
 *
 * @throws Error with a one-line message when the address cannot be bound, or when `@connectrpc/connect` is not installed.
 */
export async function startWebPort(
  options: WebOptions,
  { report, ...parts }: WebPortParts,
): Promise<WebServer> {
  const { address, origins, tls, limits } = options;
  const { startWeb } = await loadWeb();
  const onUnhandled: StartWebOptions['onUnhandled'] = ({ httpStatus, ...request }) =>
    report({ ...request, protocol: 'http' }, { code: Code.UNKNOWN, error: `answered HTTP ${httpStatus}` });
  const start = (listen: WebServerOptions['listen']) =>
    startWeb({ ...parts, listen, origins, tls, onUnhandled, limits });
  const path = unixSocketPath(address);
  try {
    return path === undefined
      ? await start(hostAndPort(address))
      : await bindUnixSocket(path, () => start({ path }));
  } catch (error) {
    throw new ListenError(address, error);
  }
}

function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}

/** Imported on use: the package is an optional peer. */
async function loadWeb(): Promise<typeof import('../web/start-web.ts')> {
  try {
    return await import('../web/start-web.ts');
  } catch (cause) {
    throw new Error('the web port needs the package @connectrpc/connect: install it with npm', { cause });
  }
}
