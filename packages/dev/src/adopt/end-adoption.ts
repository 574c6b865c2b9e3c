import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { edit } from './edit.ts';

/** Begins the changelog anew, and removes this tool, which is used once. */
export function endAdoption(root: string): void {
  edit(root, 'CHANGELOG.md', (text) => `${text.slice(0, text.indexOf('## [Unreleased]'))}## [Unreleased]\n`);
  for (const path of ['packages/dev/src/adopt', 'lab/src/copies/test-adopt.ts'])
    rmSync(join(root, path), { recursive: true, force: true });
  const withoutAdopt = (text: string) => text.replaceAll(/^.*(npm run |")(test:)?adopt\b.*\n/gm, '');
  edit(root, 'README.md', (text) => text.replace(/^## Copy it\n[\s\S]*?(?=^## )/m, ''));
  edit(root, 'docs/new-service.md', (text) => text.replace(/\n## A repository of your own\n[\s\S]*$/, ''));
  for (const file of ['package.json', 'docs/commands.md', '.github/workflows/ci.yml'])
    edit(root, file, withoutAdopt);
  edit(root, 'packages/dev/src/svc.ts', (text) => text.replace(/^ *adopt: .*\n/m, ''));
  edit(root, '.ci/run', (text) => text.replace(' test:adopt', ''));
}
