import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { acceptedFile } from '../contract/contract-base.ts';

interface Accepted {
  /** As the check prints it. */
  readonly change: string;
  readonly reason: string;
}

/**
 * Reads the file of accepted changes: a list of `change` and `reason`. Without the file nothing is accepted.
 *
 * @throws Error for an entry without a reason, or one that is written otherwise.
 */
export function readAccepted(folder: string): readonly Accepted[] {
  const file = join(folder, acceptedFile);
  if (!existsSync(file)) return [];
  const entries: unknown = parse(readFileSync(file, 'utf8')) ?? [];
  if (!Array.isArray(entries))
    throw new Error(`${acceptedFile} must be a list of entries with change and reason`);
  return entries.map((entry, index) => {
    const { change, reason } = entry ?? {};
    if (typeof change !== 'string' || typeof reason !== 'string' || reason.trim() === '')
      throw new Error(`${acceptedFile}: entry ${index + 1} must have change and reason, both as text`);
    return { change, reason };
  });
}
