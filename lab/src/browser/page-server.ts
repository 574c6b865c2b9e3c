import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { PageReport } from './page-report.ts';

/** Serves the page on an origin of its own. */
export interface PageServer extends AsyncDisposable {
  readonly origin: string;
  /** Resolves with the next reports that the page posts. */
  reports(count: number, timeoutMs: number): Promise<readonly PageReport[]>;
}

export async function startPageServer(script: string): Promise<PageServer> {
  const received: PageReport[] = [];
  let onReport = () => {};
  const server = createServer(async (request, response) => {
    if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (request.url !== '/report')
      response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>');
    else {
      received.push((await json(request)) as PageReport);
      onReport();
      response.end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reports: async (count, timeoutMs) => {
      const signal = AbortSignal.timeout(timeoutMs);
      while (received.length < count)
        await new Promise<void>((resolve, reject) => {
          onReport = resolve;
          signal.addEventListener('abort', () =>
            reject(
              new Error(`the page reported ${received.length} of ${count} times within ${timeoutMs} ms`),
            ),
          );
        });
      return received.splice(0, count);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}
