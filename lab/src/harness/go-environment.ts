import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';

/** Folder of Go's own installer, which is not on every PATH. */
const usualFolder = '/usr/local/go/bin';

/**
 * Returns the environment of commands that call `go`.
 *
 * @throws Error in one line when Go is not installed.
 */
export function goEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env, PATH: `${process.env.PATH}${delimiter}${usualFolder}` };
  if (spawnSync('go', ['version'], { env }).error)
    throw new Error('Go is not installed: https://go.dev/doc/install');
  return env;
}
