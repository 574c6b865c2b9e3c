import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CopyOptions } from './copy-options.ts';
import { original } from './rename.ts';

/** Removes the console, which is a part of the lab, from the `services.ts` of a copy without the lab. */
export function editServices(root: string, { keepsLab }: CopyOptions): void {
  if (keepsLab) return;
  const file = join(root, 'services.ts');
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace(new RegExp(`^export .* from '${original.scope}/lab/console';\n+`, 'm'), ''),
  );
}
