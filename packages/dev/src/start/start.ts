import { whenOutputCloses } from '../cli/closed-output.ts';
import { fail } from '../cli/fail.ts';
import { announceServices, withdrawServices } from '../repository/announcement.ts';
import { consoleEntry, services } from '../repository/load-services.ts';
import type { RunningService, RunningServices } from '../repository/running-services.ts';
import { openConsole, openInBrowser } from './open-console.ts';
import { readyText } from './ready-text.ts';
import { seedServices } from './seed-services.ts';
import { readStartArguments } from './start-options.ts';
import { startServices } from './start-services.ts';

const { opensConsole, consolePort, ...startArguments } = readStartArguments();
const { dataFolder } = startArguments;
const say = (text: string) => process.stdout.write(`${text}\n`);
const onStep = (description: string) => say(`  up  ${description}`);

let isStopping = false;

try {
  const console =
    consoleEntry && (await openConsole(consoleEntry, { port: consolePort, dataFolder, onStep }));
  if (console && opensConsole) openInBrowser(console.url, ({ message }) => onStep(`no browser: ${message}`));
  const starting = startServices({ ...startArguments, services, console, onStep });
  const stop = async (exitCode: number, reason: string) => {
    if (isStopping) return;
    isStopping = true;
    say(reason);
    await console?.detach();
    await starting.then(
      (running) => running.close(),
      () => {},
    );
    await console?.[Symbol.asyncDispose]();
    await withdrawServices(dataFolder);
    process.exit(exitCode);
  };
  process.on('SIGINT', () => stop(0, '\nstopping: calls in flight are finished first'));
  process.on('SIGTERM', () => stop(0, 'stopping: calls in flight are finished first'));
  whenOutputCloses(() => stop(0, ''));
  const running = await starting;
  reportEvents(running, () => stop(1, 'stopping: no service is left'));
  if (!isStopping) await seedServices(services, running, onStep);
  if (!isStopping) {
    console?.attach(running);
    await announceServices(dataFolder, running);
    say(await readyText(running, dataFolder));
  }
} catch (error) {
  // A step that is interrupted fails in many ways.
  if (!isStopping) fail(error);
}

/** Prints what happens to the services after their start. Calls `onAllExited` when none of them is left. */
function reportEvents({ services, events }: RunningServices, onAllExited: () => void): void {
  const reportExit = ({ name, process: { signalCode, exitCode }, logFile }: RunningService) => {
    say(`${name} exited (${signalCode ?? exitCode}): see ${logFile}`);
    if (services.every(({ state }) => state === 'exited')) onAllExited();
  };
  events.on('exited', reportExit);
  events.on('serving', ({ name, target }) => onStep(`${name} on ${target}, restarted`));
  events.on('databaseExited', ({ logFile }) => say(`PostgreSQL exited: see ${logFile}`));
  for (const service of services) if (service.state === 'exited') reportExit(service);
}
