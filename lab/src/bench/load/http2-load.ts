// A load generator as a process: `http2-load.ts JSON`. Prints the number of OK calls, and the p99 of all.
import { type ClientHttp2Session, connect } from 'node:http2';
import { quantile } from '../../harness/quantile.ts';
import type { UnaryLoad } from './unary-load.ts';

const { port, path, headers, frame, connections, streams, seconds, isTimed }: UnaryLoad = JSON.parse(
  process.argv[2] ?? '',
);
const body = Buffer.from(frame, 'hex');
const counts = { ok: 0, failed: 0 };
const durationsMs: number[] = [];
const endMs = performance.now() + seconds * 1000;

function call(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
    let status: unknown;
    stream.on('response', (received) => {
      status = received['grpc-status'];
    });
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      counts[status === '0' ? 'ok' : 'failed'] += 1;
      if (isTimed) durationsMs.push(performance.now() - startMs);
      resolve();
    });
    stream.resume();
    stream.end(body);
  });
}

const sessions = Array.from({ length: connections }, () => connect(`http://127.0.0.1:${port}`));
const startMs = performance.now();
await Promise.all(
  sessions.flatMap((session) =>
    Array.from({ length: streams }, async () => {
      while (performance.now() < endMs) await call(session);
    }),
  ),
);
const elapsed = (performance.now() - startMs) / 1000;
for (const session of sessions) session.close();
process.stdout.write(
  JSON.stringify({
    count: counts.ok,
    perSecond: counts.ok / elapsed,
    p99Ms: quantile(durationsMs, 0.99),
    failed: counts.failed,
  }),
);
