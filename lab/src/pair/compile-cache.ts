import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Compiles a program into a folder, for starts with NODE_COMPILE_CACHE set to that: starts it without saying anything to
 * it, so that it ends at once, and leaves its code. One that is killed leaves nothing.
 */
export async function fillCompileCache(program: string, folder: string): Promise<void> {
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: folder };
  await once(spawn(process.execPath, [program], { env, stdio: 'ignore' }), 'exit');
}
