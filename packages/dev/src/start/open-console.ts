import { spawn } from 'node:child_process';
import { errorText } from '../cli/fail.ts';
import type { ConsoleEntry, ServedConsole } from '../repository/console-entry.ts';
import { freePort } from './process/free-port.ts';

export interface OpenConsoleOptions {
  /** Port of 127.0.0.1; 0 is any free port. */
  readonly port: number;
  readonly dataFolder: string;
  readonly onStep: (description: string) => void;
}

/** Serves the console. One that cannot be served is reported as a step, and the services start without it. */
export async function openConsole(
  entry: ConsoleEntry,
  { port, dataFolder, onStep }: OpenConsoleOptions,
): Promise<ServedConsole | undefined> {
  try {
    const served = await entry.open({ port: await freePort(port, '--console-port N'), dataFolder });
    onStep(`console on ${served.url}`);
    return served;
  } catch (error) {
    onStep(`no console: ${errorText(error)}`);
    return undefined;
  }
}

/** Programs that open a page in the user's browser, with their first arguments. */
const openers: Partial<Record<NodeJS.Platform, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Opens a page in the user's browser. Calls `onFailure` if the machine has no program for that. */
export function openInBrowser(url: string, onFailure: (error: Error) => void): void {
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  spawn(program, [...args, url], { detached: true, stdio: 'ignore' })
    .once('error', onFailure)
    .unref();
}
