import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Fills a NODE_COMPILE_CACHE folder with a program's code. It starts the program without configuration, so that it exits
 * at once: Node writes the cache on a regular exit, not when the process is killed.
 */
export async function fillCompileCache(program: string, folder: string): Promise<void> {
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: folder };
  await once(spawn(process.execPath, [program], { env, stdio: 'ignore' }), 'exit');
}
