import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, mkdtempDisposable, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkHealth } from '../client/health/check-health.ts';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { collectLog } from '../testing/telemetry/collect-log.ts';
import { serve } from './served-service.ts';
import { startServer } from './start-server.ts';
import { bindUnixSocket, unixSocketPath } from './unix-socket.ts';

const handlers = Object.fromEntries(EchoService.methods.map(({ localName }) => [localName, () => {}]));

async function start(address: string) {
  const running = await startServer({
    address,
    services: [serve(EchoService, handlers as never)],
    chain: () => [],
    log: collectLog().log,
    reflection: false,
  });
  running.setReady(true);
  const stop = () => running.drain({ pauseMs: 0, timeoutMs: 100 });
  onTestFinished(stop);
  return stop;
}

async function socketFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'unix-socket-'));
  onTestFinished(() => folder.remove());
  return { folder: folder.path, path: join(folder.path, 'socket') };
}

/** Creates the file that a killed server leaves behind. */
async function leaveStale(path: string): Promise<void> {
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['--eval', program]), 'exit');
  expect((await lstat(path)).isSocket()).toBe(true);
}

test.each<[string, (path: string) => string]>([
  ['unix:/absolute', (path) => `unix:${path}`],
  ['unix:///absolute', (path) => `unix://${path}`],
  ['unix:relative', (path) => `unix:${relative(process.cwd(), path)}`],
])(
  'a server starts on %s after one was killed there, and removes the file when it stops',
  async (_form, form) => {
    const { path } = await socketFolder();
    await leaveStale(path);
    const stop = await start(form(path));
    expect(await checkHealth(`unix:${path}`)).toBe(true);
    await stop();
    await expect(lstat(path)).rejects.toThrow('ENOENT');
  },
);

test('the socket of a live server is not replaced, and the server stays reachable', async () => {
  const { path } = await socketFolder();
  await start(`unix:${path}`);
  await expect(start(`unix:${path}`)).rejects.toThrow(
    new RegExp(`^cannot listen on unix:${path}: .*EADDRINUSE.*$`),
  );
  expect(await checkHealth(`unix:${path}`)).toBe(true);
});

test('of many servers that start on a stale socket at once, one binds it and the others fail', async () => {
  const { path } = await socketFolder();
  for (let round = 0; round < 5; round++) {
    await leaveStale(path);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => start(`unix:${path}`)));
    const started = outcomes.filter((each) => each.status === 'fulfilled');
    expect(started).toHaveLength(1);
    expect(await checkHealth(`unix:${path}`)).toBe(true);
    await started[0]?.value();
  }
});

test('no other server removes or binds a path while a server binds it', async () => {
  const { path, folder } = await socketFolder();
  let [inside, most] = [0, 0];
  const bind = async () => {
    most = Math.max(most, ++inside);
    // Longer than the check for a stale file takes.
    for (let turn = 0; turn < 50; turn++) await lstat(folder);
    inside--;
  };
  await Promise.all(Array.from({ length: 4 }, () => bindUnixSocket(path, bind)));
  expect(most).toBe(1);
});

test.each<[string, (path: string, folder: string) => Promise<void>]>([
  ['a file', (path) => writeFile(path, 'precious')],
  ['a folder', async (path) => void (await mkdir(path))],
  [
    'a link to a file',
    async (path, folder) => {
      await writeFile(join(folder, 'file'), 'precious');
      await symlink('file', path);
    },
  ],
  ['a link to nothing', (path) => symlink('nothing', path)],
])('%s at the path is an error, and stays in place', async (_what, make) => {
  const { path, folder } = await socketFolder();
  await make(path, folder);
  await expect(start(`unix:${path}`)).rejects.toThrow(
    `cannot listen on unix:${path}: ${path} exists and is not a socket`,
  );
  const file = await lstat(path);
  expect(file.isFile() || file.isDirectory() || file.isSymbolicLink()).toBe(true);
  if (file.isFile()) expect(await readFile(path, 'utf8')).toBe('precious');
});

test('only the user of the process may connect', async () => {
  const { path } = await socketFolder();
  const before = process.umask(0o022);
  onTestFinished(() => void process.umask(before));
  await start(`unix:${path}`);
  // Connecting requires the permission to write.
  expect((await lstat(path)).mode & 0o022).toBe(0);
});

test('a request of a web port on a Unix socket is not reported as one of the gRPC port on another', async () => {
  const { folder } = await socketFolder();
  const { log, lines } = collectLog();
  const [path, webPath] = [join(folder, 'grpc'), join(folder, 'web')];
  const running = await startServer({
    address: `unix:${path}`,
    services: [serve(EchoService, handlers as never)],
    chain: () => [],
    web: { address: `unix:${webPath}`, origins: [] },
    log,
    reflection: false,
  });
  onTestFinished(() => running.drain({ pauseMs: 0, timeoutMs: 100 }));
  const session = connectHttp2('http://localhost', { createConnection: () => connect(webPath) });
  const stream = session.request({ ':path': '/none' }).resume();
  await once(stream, 'close');
  session.close();
  await once(session, 'close');
  expect(lines.filter(({ msg }) => msg === 'call').map(({ error, protocol }) => [error, protocol])).toEqual([
    ['answered HTTP 404', 'http'],
  ]);
});

test('other addresses than Unix sockets have no path', () => {
  for (const address of ['127.0.0.1:0', 'localhost:50051', '[::]:50051', 'unix:'])
    expect(unixSocketPath(address)).toBeUndefined();
});
