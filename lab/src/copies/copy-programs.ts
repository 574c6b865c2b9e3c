import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from './start-program.ts';

/** The programs of a copy of the repository. They run in its folder. */
export interface CopyPrograms {
  /** Starts a JavaScript or TypeScript file. */
  program(file: string, ...args: string[]): Program;
  svc(command: string, ...args: string[]): Program;
  call(method: string, request: object): Program;
  /** Starts all services, each of which is named here, on free ports. Takes further arguments of `svc start`. */
  start(services: readonly string[], ...args: string[]): Program;
  /** Runs the tests that match, or all of them. */
  test(...filters: string[]): Program;
}

/** Returns the programs of the copy in `folder`. */
export function copyPrograms(folder: string): CopyPrograms {
  const program = (file: string, ...args: string[]) => startProgram(folder, file, ...args);
  const svc = (command: string, ...args: string[]) => {
    const source = 'packages/dev/src/svc.ts';
    return program(existsSync(join(folder, source)) ? source : 'node_modules/.bin/svc', command, ...args);
  };
  return {
    program,
    svc,
    call: (method, request) => svc('call', method, JSON.stringify(request)),
    start: (services, ...args) => {
      const options = services.flatMap((name) =>
        ['', 'web-', 'metrics-'].map((kind) => `--${name}-${kind}port`),
      );
      return svc('start', ...options.flatMap((option) => [option, '0']), ...args);
    },
    test: (...filters) => program('node_modules/vitest/vitest.mjs', 'run', ...filters),
  };
}
