import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAnnouncement } from '../repository/announcement.ts';
import { type EchoProject, makeEchoProject, type SvcCommand } from './testing/echo-project.ts';

/** Time for a process to start on a busy machine. */
const patient = { timeout: 60_000 };

async function startProject(project: EchoProject, ...args: string[]): Promise<SvcCommand> {
  const start = project.svc('start', ...args);
  await start.printed('Ready.');
  return start;
}

async function run(command: SvcCommand) {
  await command.closed;
  return { code: command.child.exitCode, output: command.output() };
}

/** Returns the process ids of a service, the last one of which is the present process. */
async function pids(project: EchoProject, service: string): Promise<number[]> {
  return (await project.environments(service)).map(({ TEST_PID }) => Number(TEST_PID));
}

async function killService(project: EchoProject, service: string): Promise<void> {
  process.kill((await pids(project, service)).at(-1) ?? 0, 'SIGKILL');
}

test('a service that dies is reported, the other goes on, and svc restart starts it on the same address', async () => {
  await using project = await makeEchoProject();
  const start = await startProject(project);
  const { targets } = (await readAnnouncement(project.dataFolder)) ?? {};
  await killService(project, 'back');
  await start.printed(
    ` down back (SIGKILL): its log is ${join(project.dataFolder, 'logs/back.log')}; npx svc restart back starts it again\n`,
  );
  expect(await run(project.svc('restart', 'back'))).toEqual({ code: 0, output: 'back is up\n' });
  await start.printed(`  up  back on ${targets?.back}, restarted\n`);
  expect(await pids(project, 'back')).toHaveLength(2);
  expect(await pids(project, 'front')).toHaveLength(1);
  // A paused process gets a signal only when it is resumed.
  process.kill((await pids(project, 'front')).at(-1) ?? 0, 'SIGSTOP');
  expect(await run(project.svc('restart', 'front'))).toMatchObject({ code: 0 });
  expect(await pids(project, 'front')).toHaveLength(2);
  expect(await run(project.svc('restart', 'side'))).toEqual({
    code: 1,
    output: 'there is no service side. The services are: back, front\n',
  });
}, 120_000);

test('npm start ends with 1 when no service is left, and svc restart says that nothing runs', async () => {
  await using project = await makeEchoProject();
  const start = await startProject(project);
  await killService(project, 'back');
  await killService(project, 'front');
  expect(await run(start)).toEqual({
    code: 1,
    output: expect.stringContaining('stopping: no service is left\n'),
  });
  expect(await run(project.svc('restart', 'back'))).toEqual({
    code: 1,
    output: `no npm start is running on ${project.dataFolder}: start the services with npx svc start\n`,
  });
}, 120_000);

test('a start that has not finished keeps others from its folder, and restarts nothing', async () => {
  await using project = await makeEchoProject(
    'export const console = { port: 0, open: () => new Promise(() => {}) };',
  );
  const { child } = project.svc('start');
  await expect
    .poll(() => readFile(join(project.dataFolder, 'start.json'), 'utf8'), patient)
    .toContain('secret');
  expect(await run(project.svc('start'))).toEqual({
    code: 1,
    output:
      `${project.dataFolder} is in use by process ${child.pid}, which is starting: ` +
      `stop it with Ctrl-C or kill ${child.pid}, or use --data with another folder\n`,
  });
  expect(await run(project.svc('restart', 'back'))).toEqual({
    code: 1,
    output: 'back is not restarted: npm start is starting\n',
  });
}, 120_000);

test('a Ctrl-C after the last step of the start ends it without saying that it is ready', async () => {
  await using project = await makeEchoProject(`
Object.assign(services[0], {
  seed: async () => {
    process.kill(process.pid, 'SIGINT');
    return 'sample data';
  },
});`);
  const { code, output } = await run(project.svc('start'));
  expect(code).toBe(0);
  expect(output).toContain('  up  sample data\n');
  expect(output).toContain('stopping: calls in flight are finished first');
  expect(output).not.toContain('Ready.');
}, 120_000);

test('a second start on the same folder says what runs there', async () => {
  await using project = await makeEchoProject();
  const { child } = await startProject(project);
  const { targets } = (await readAnnouncement(project.dataFolder)) ?? {};
  expect(await run(project.svc('start'))).toEqual({
    code: 1,
    output:
      `${project.dataFolder} is in use by process ${child.pid}, which runs back on ${targets?.back}, front on ${targets?.front}: ` +
      `stop it with Ctrl-C or kill ${child.pid}, or use --data with another folder\n`,
  });
}, 120_000);

test('a second Ctrl-C kills a service that does not drain, and a Ctrl-C that npm forwards is none', async () => {
  await using project = await makeEchoProject();
  const stays = `process.removeAllListeners('SIGTERM').on('SIGTERM', () => console.log('drains'));`;
  await project.writeMain('front', `${project.main}\n${stays}\n`);
  const start = await startProject(project);
  const [front = 0] = await pids(project, 'front');
  start.child.kill('SIGINT');
  start.child.kill('SIGINT');
  const log = join(project.dataFolder, 'logs/front.log');
  await expect.poll(() => readFile(log, 'utf8'), patient).toContain('drains');
  expect(isAlive(front)).toBe(true);
  const interval = setInterval(() => start.child.kill('SIGINT'), 600);
  expect(await run(start)).toMatchObject({ code: 130 });
  clearInterval(interval);
  await expect.poll(() => isAlive(front), patient).toBe(false);
}, 120_000);

test('--watch restarts only the service whose sources changed, and every service after a change of generated code', async () => {
  await using project = await makeEchoProject();
  await mkdir(join(project.folder, 'gen/src'), { recursive: true });
  const start = await startProject(project, '--watch');
  await project.writeMain('front', `${project.main}// changed\n`);
  await start.printed(/up {2}front on .*, restarted\n/);
  expect(start.output()).toContain(`${join('services/front/src/main.ts')} has changed: front is restarted\n`);
  expect(await pids(project, 'back')).toHaveLength(1);

  // The tests of a service are not loaded by it.
  await writeFile(join(project.folder, 'services/back/src/back.test.ts'), '');
  await writeFile(join(project.folder, 'gen/src/echo_pb.ts'), '');
  await start.printed(/up {2}back on .*, restarted\n/);
  await expect.poll(() => pids(project, 'front'), patient).toHaveLength(3);
  expect(await pids(project, 'back')).toHaveLength(2);
}, 120_000);

test('--watch reports a syntax error, and the next save starts the service, also if a start hangs', async () => {
  await using project = await makeEchoProject();
  const start = await startProject(project, '--watch');
  await project.writeMain('front', 'const = 1;\n');
  await start.printed(
    / down front did not start: \S+main\.ts:1\nconst = 1;\n +\^\n\nSyntaxError.*\na save of its sources, or npx svc/,
  );
  const hangs = `console.log(JSON.stringify({ ...process.env, TEST_PID: process.pid }));\nsetInterval(() => {}, 120_000);\n`;
  await project.writeMain('front', hangs);
  await expect.poll(() => pids(project, 'front'), patient).toHaveLength(2);
  await project.writeMain('front', project.main);
  await start.printed(/up {2}front on .*, restarted\n/);
  expect(start.output().match(/front did not start/g)).toHaveLength(1);
}, 120_000);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
