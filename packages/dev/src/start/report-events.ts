import { errorText } from '../cli/fail.ts';
import type { RunningService, RunningServices } from '../repository/running-services.ts';

export interface ReportOptions {
  readonly say: (text: string) => void;
  /** Returns how to start a service or PostgreSQL again. */
  readonly remedyOf: (name: string) => string;
  /** Called when no service is left: the last one has exited, or was not started again. */
  readonly onAllExited: () => void;
}

/** Prints what happens to the services and to PostgreSQL after their start. */
export function reportEvents(
  { services, events }: RunningServices,
  { say, remedyOf, onAllExited }: ReportOptions,
): void {
  const endIfAllExited = () => {
    if (services.every(({ state }) => state === 'exited')) onAllExited();
  };
  const reportExit = ({ name, process: { signalCode, exitCode }, logFile }: RunningService) => {
    const how = signalCode ?? `exit code ${exitCode}`;
    say(` down ${name} (${how}): its log is ${logFile}; ${remedyOf(name)}`);
    endIfAllExited();
  };
  events.on('exited', reportExit);
  events.on('serving', ({ name, target }) => say(`  up  ${name} on ${target}, restarted`));
  events.on('failed', ({ name }, error) => {
    say(` down ${errorText(error)}\n${remedyOf(name)}`);
    endIfAllExited();
  });
  events.on('databaseExited', ({ logFile }) =>
    say(` down PostgreSQL: its log is ${logFile}; ${remedyOf('postgres')}`),
  );
  events.on('databaseServing', ({ port }) => say(`  up  PostgreSQL on 127.0.0.1:${port}, restarted`));
  for (const service of services) if (service.state === 'exited') reportExit(service);
}
