import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '@acme/dev/cli';
import type { Problem } from '../../api.ts';
import { callPrefix } from './call-proxy.ts';
import { requireKey } from './console-key.ts';
import { HttpError } from './http-error.ts';
import { requireOwnRequest } from './own-requests.ts';
import { parseJson, readBody } from './read-body.ts';

/** The parts of a request that an answer depends on. */
export interface ApiRequest {
  readonly query: URLSearchParams;
  /** The rest of the path, for a route that ends in `/`. */
  readonly rest: string;
  /** The JSON of a POST. */
  readonly body: unknown;
}

/** Returns the JSON of the answer; undefined is 204. */
export type Route = (request: ApiRequest) => unknown;

export interface ConsoleServerOptions {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** The port that browsers use, where it is another. */
  readonly publicPort?: number;
  /** Every request to the API must have it. */
  readonly key: string;
  /** By method and path: `GET /api/traces`. A path that ends in `/` stands for all below it. */
  readonly routes: Readonly<Record<string, Route>>;
  /** Answers `GET /api/live`. */
  readonly onLive: (response: ServerResponse) => void;
  /** Answers `/call/…`, where the page calls the services through the console. Default: there is none. */
  readonly onCall?: ((url: URL, request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Returns a file of the page, `/` is its document; undefined if there is none. */
  readonly pageFile: (path: string) => Promise<PageFile | undefined>;
}

export interface PageFile {
  readonly contentType: string;
  readonly body: string | Buffer;
}

export interface ConsoleServer extends AsyncDisposable {
  readonly port: number;
}

const maxBodyBytes = 64 * 1024;
/** More than those of all pages and of their calls. */
const maxConnections = 200;
/** Time in which a connection must send its headers. */
const headersTimeoutMs = 5000;

/**
 * The page may call the services' web ports, which are chosen after it is loaded, and nothing beyond this machine. No other page may
 * frame it, whose visitors would click its buttons unknowingly.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "connect-src 'self' http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the page and its API, to the page itself and to programs of this machine. */
export async function startConsoleServer(options: ConsoleServerOptions): Promise<ConsoleServer> {
  const { host, key, onCall, onLive, pageFile, routes } = options;
  const timeouts = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: headersTimeoutMs };
  const server = createServer(timeouts, async (request, response) => {
    setSecurityHeaders(response);
    try {
      const url = readUrl(request);
      requireOwnRequest(request, url.pathname, options.publicPort ?? portOf());
      if (url.pathname.startsWith('/api/')) requireKey(request, key);
      if (request.method === 'GET' && url.pathname === '/api/live') onLive(response);
      else if (onCall && url.pathname.startsWith(callPrefix)) onCall(url, request, response);
      else if (url.pathname.startsWith('/api/')) await answer(request, response, url);
      else if (request.method !== 'GET') throw new HttpError(405, 'a file of the page is read with GET');
      else await sendPage(response, await pageFile(url.pathname));
    } catch (error) {
      sendError(request, response, error);
    }
  });
  const portOf = () => (server.address() as AddressInfo).port;
  const answer = async (request: IncomingMessage, response: ServerResponse, url: URL) => {
    const [name, route] = findRoute(routes, request.method ?? '', url.pathname);
    const body = request.method === 'POST' ? parseJson(await readBody(request, maxBodyBytes)) : undefined;
    const path = name.slice(name.indexOf('/'));
    const json = await route({ query: url.searchParams, rest: url.pathname.slice(path.length), body });
    if (json === undefined) response.writeHead(204).end();
    else sendJson(response, 200, json);
  };
  server.maxConnections = maxConnections;
  await once(server.listen(options.port, host), 'listening');
  return {
    port: portOf(),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Returns the URL of a request, whose target must be a path: another form names a host of its own. */
function readUrl({ url = '' }: IncomingMessage): URL {
  const path = /^\/(?!\/)/.test(url) ? `http://console${url}` : '';
  if (!URL.canParse(path)) throw new HttpError(400, 'the target of the request is not a path');
  return new URL(path);
}

function findRoute(routes: ConsoleServerOptions['routes'], method: string, path: string): [string, Route] {
  const asked = `${method} ${path}`;
  const found = Object.entries(routes).find(([name]) =>
    name.endsWith('/') ? asked.startsWith(name) && asked !== name : asked === name,
  );
  if (!found) throw new HttpError(404, `there is no ${asked}`);
  return found;
}

async function sendPage(response: ServerResponse, file: PageFile | undefined): Promise<void> {
  if (!file) throw new HttpError(404, 'there is no such file');
  response.writeHead(200, { 'content-type': file.contentType }).end(file.body);
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const status = error instanceof HttpError ? error.status : 500;
  const problem: Problem = { message: errorText(error) };
  if (response.headersSent) return void response.destroy();
  // The rest of a rejected body is not read.
  if (!request.complete) response.setHeader('connection', 'close');
  sendJson(response, status, problem);
}

function sendJson(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-security-policy', contentSecurityPolicy);
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
}
