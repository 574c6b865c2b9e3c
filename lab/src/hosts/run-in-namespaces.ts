import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Mounts and processes too, so that nothing is left when the program ends, however it ends. */
const unshare = ['unshare', '--net', '--mount', '--mount-proc', '--pid', '--fork', '--kill-child'];

/**
 * Runs a Node program as root in new namespaces, as their first process, whose end ends all other processes in them. Its
 * stdin ends when this process does or when `signal` aborts, and it must exit then. Returns its exit code.
 *
 * @throws Error that says what is missing for that.
 */
export async function runInNamespaces(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  if (process.platform !== 'linux') throw new Error('two hosts need the network namespaces of Linux');
  if (spawnSync('ip', ['-Version']).status !== 0)
    throw new Error('ip is missing: .ci/install-iproute2 installs it');
  const prefix = [...(process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive']), ...unshare];
  const [command = '', ...options] = prefix;
  const { status, stderr, error } = spawnSync(command, [...options, 'true'], { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(
      `no namespaces can be made (${error?.message ?? stderr.trim()}): this needs root or sudo without a password, and in a container --privileged`,
    );
  const child = spawn(command, [...options, process.execPath, program, ...args], {
    stdio: ['pipe', 'inherit', 'inherit'],
    // Ctrl-C reaches this process alone, which ends the stdin of the program.
    detached: true,
  });
  const end = () => child.stdin.end();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
