import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeEchoProject } from './testing/echo-project.ts';

/** A console that records its calls in a file. */
const consoleExport = `
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

export const console = {
  port: 0,
  open: async ({ port, dataFolder }) => {
    const record = (...call) => appendFileSync(join(dataFolder, '../calls'), JSON.stringify(call) + '\\n');
    const server = createServer((_, response) => response.end('a page')).listen(port, '127.0.0.1');
    return {
      url: 'http://127.0.0.1:' + port,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_METRICS_EXPORTER: 'otlp', HOME: '/' },
      lineBetween: async (...between) => {
        record('line', ...between);
        return '127.0.0.1:7';
      },
      attach: ({ services }) => record('attach', ...services.map(({ name, state }) => name + ' ' + state)),
      detach: async () => record('detach'),
      [Symbol.asyncDispose]: async () => {
        record('close');
        server.close();
      },
    };
  },
};
`;

test('the console is served, gets the services, and sees their calls and telemetry', async () => {
  await using project = await makeEchoProject(consoleExport);
  const start = project.svc('start');
  await start.printed('Ready.');
  const [, url = ''] = /console on (\S+)/.exec(start.output()) ?? [];
  expect(await (await fetch(url)).text()).toBe('a page');
  const [front] = await project.environments('front');
  expect(front).toMatchObject({
    BACK_TARGET: '127.0.0.1:7',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_METRICS_EXPORTER: 'otlp,prometheus',
    HOME: process.env.HOME,
  });
  start.child.kill('SIGINT');
  await start.closed;
  const calls = (await readFile(join(project.folder, 'calls'), 'utf8')).trim().split('\n');
  expect(calls.map((call) => JSON.parse(call))).toEqual([
    ['line', 'front', 'back', expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
    ['attach', 'back serving', 'front serving'],
    ['detach'],
    ['close'],
  ]);
}, 120_000);

test('the services start without a console if its port is taken', async () => {
  await using project = await makeEchoProject(consoleExport);
  await using other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const start = project.svc('start', '--console-port', String(port));
  await start.printed('Ready.');
  expect(start.output()).toContain(
    `  up  no console: cannot listen on 127.0.0.1:${port} (EADDRINUSE): stop the process that does, or use --console-port N\n`,
  );
}, 120_000);

test('without a console in services.ts there are no options for one', async () => {
  await using project = await makeEchoProject();
  for (const option of ['--open', '--console-port=0']) {
    const start = project.svc('start', option);
    await start.closed;
    expect([start.child.exitCode, start.output()]).toEqual([
      2,
      expect.stringContaining(`unknown option ${option.split('=')[0]}:`),
    ]);
  }
}, 120_000);
