import { brokenPipeExitCode, whenOutputCloses } from '../cli/closed-output.ts';
import { errorText, fail } from '../cli/fail.ts';
import { onInterrupt } from '../cli/on-interrupt.ts';
import { announceServices, readAnnouncement, withdrawServices } from '../repository/announcement.ts';
import { consoleEntry, services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import type { RunningServices } from '../repository/running-services.ts';
import { findStart, type StartStatus, serveControl } from './control/control.ts';
import { openConsole, openInBrowser } from './open-console.ts';
import { dataArgument, readyText } from './ready-text.ts';
import { reportEvents } from './report-events.ts';
import { seedServices } from './seed-services.ts';
import { readStartArguments } from './start-options.ts';
import { startServices } from './start-services.ts';
import { watchSources } from './watch-sources.ts';

const { opensConsole, consolePort, watches, ...startArguments } = readStartArguments();
const { dataFolder } = startArguments;
const say = (text: string) => process.stdout.write(`${text}\n`);
const onStep = (description: string) => say(`  up  ${description}`);

let running: RunningServices | undefined;
let isReady = false;
let page: string | undefined;
let isStopping = false;
/** The parts that are stopped at the end, in reverse order. */
const started = new AsyncDisposableStack();
const stop = async (exitCode: number, reason: string) => {
  if (isStopping) return;
  isStopping = true;
  say(reason);
  await started.disposeAsync().catch((error) => say(errorText(error)));
  process.exit(exitCode);
};
onInterrupt(
  () => stop(0, '\nstopping: calls in flight are finished first, unless there is a second Ctrl-C'),
  exitImmediately,
);
whenOutputCloses(() => stop(brokenPipeExitCode, ''));

try {
  await requireUnusedFolder();
  started.defer(() => withdrawServices(dataFolder));
  // From the first step to the last, so that another start leaves the folder alone.
  started.use(await serveControl({ dataFolder, status, restart: restartPart }));
  const console =
    consoleEntry && (await openConsole(consoleEntry, { port: consolePort, dataFolder, onStep }));
  if (console) started.use(console);
  page = console?.url;
  if (console && opensConsole) openInBrowser(console.url, ({ message }) => onStep(`no browser: ${message}`));
  const starting = startServices({ ...startArguments, services, console, onStep });
  started.defer(async () => (await starting.catch(() => undefined))?.close());
  if (console) started.defer(() => console.detach());
  running = await starting;
  reportEvents(running, {
    say,
    remedyOf,
    onAllExited: () => {
      // Otherwise a save or the page starts them again.
      if (!watches && !console) stop(1, 'stopping: no service is left');
    },
  });
  if (!isStopping) await seedServices(services, running, onStep);
  if (!isStopping) {
    if (watches) started.use(restartOnChange(running));
    console?.attach(running);
    await announceServices(dataFolder, running);
  }
  isReady = true;
  if (!isStopping) say(readyText(running, { dataFolder, page }));
} catch (error) {
  // A step that is interrupted fails in many ways.
  if (!isStopping) fail(error);
}

/** Throws an Error that describes another `npm start` on this data folder. */
async function requireUnusedFolder(): Promise<void> {
  const other = await findStart(dataFolder);
  if (!other) return;
  const remedy = `stop it with Ctrl-C or kill ${other.pid}, or use --data with another folder`;
  if (other.state !== 'running')
    throw new Error(`${dataFolder} is in use by process ${other.pid}, which is ${other.state}: ${remedy}`);
  const { targets = {} } = (await readAnnouncement(dataFolder)) ?? {};
  const parts = Object.entries(targets).map(([name, target]) => `${name} on ${target}`);
  if (other.page !== undefined) parts.push(`a console on ${other.page}`);
  throw new Error(
    `${dataFolder} is in use by process ${other.pid}, which runs ${parts.join(', ')}: ${remedy}`,
  );
}

/** Returns how a service or PostgreSQL is started again. */
function remedyOf(name: string): string {
  const restart = `npx svc restart ${name}${dataArgument(dataFolder)}`;
  if (!watches || name === 'postgres') return `${restart} starts it again`;
  return `a save of its sources, or ${restart}, starts it again`;
}

function status(): StartStatus {
  if (isStopping) return { state: 'stopping', page };
  return { state: isReady ? 'running' : 'starting', page };
}

/** Starts a service again, or PostgreSQL by the name `postgres`. */
async function restartPart(name: string): Promise<void> {
  if (isStopping || !running) throw new Error(`${name} is not restarted: npm start is ${status().state}`);
  const { database, restart } = running;
  await (name === 'postgres' && database ? database.start() : restart(name));
}

/** Restarts each service whose sources change. A restart that fails is reported as an event. */
function restartOnChange({ services, restart }: RunningServices): Disposable {
  const names = services.map(({ name }) => name);
  return watchSources(root, names, (name, file) => {
    say(`${file} has changed: ${name} is restarted`);
    restart(name).catch(() => {});
  });
}

/** Kills the services, which would drain for a while after the end of this process. */
function exitImmediately(): never {
  for (const service of running?.services ?? []) service.process.kill('SIGKILL');
  process.exit(130);
}
