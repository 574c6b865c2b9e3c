import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Replica } from './replica.ts';

/** The result of `npm run reconcile`. */
export interface Reconciliation {
  readonly exitCode: number | null;
  /** Its report, a line for each disagreement, then the counts. */
  readonly lines: readonly string[];
}

const main = fileURLToPath(import.meta.resolve('@acme/orders/reconcile/main'));

/**
 * Runs `npm run reconcile` in the environment of a replica of orders.
 *
 * @throws Error with the stderr of the command if it fails otherwise than by disagreements that are left.
 */
export async function runReconcile(
  { environment }: Replica,
  args: readonly ['--mend'?] = [],
): Promise<Reconciliation> {
  const child = spawn(process.execPath, [main, ...args.filter((arg) => arg !== undefined)], {
    env: { ...process.env, NODE_ENV: 'development', ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  if (stderr !== '') throw new Error(`npm run reconcile failed: ${stderr.trim()}`);
  return { exitCode: child.exitCode, lines: stdout.trim().split('\n') };
}
