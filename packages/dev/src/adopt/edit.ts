import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Changes the text of a file of the repository. */
export function edit(root: string, file: string, change: (text: string) => string): void {
  const path = join(root, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
