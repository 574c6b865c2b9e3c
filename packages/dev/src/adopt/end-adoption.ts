import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { editFile } from './edit-file.ts';

/** Empties the changelog, and removes `adopt` and its test, because it is used once. */
export function endAdoption(root: string): void {
  editFile(
    root,
    'CHANGELOG.md',
    (text) => `${text.slice(0, text.indexOf('## [Unreleased]'))}## [Unreleased]\n`,
  );
  for (const path of ['packages/dev/src/adopt', 'lab/src/copies/test-adopt.ts'])
    rmSync(join(root, path), { recursive: true, force: true });
  const withoutAdopt = (text: string) => text.replaceAll(/^.*(npm run |")(test:)?adopt\b.*\n/gm, '');
  editFile(root, 'README.md', (text) => text.replace(/^## Copy it\n[\s\S]*?(?=^## )/m, ''));
  editFile(root, 'docs/new-service.md', (text) =>
    text.replace(/\n## A repository of your own\n[\s\S]*$/, ''),
  );
  for (const file of ['package.json', 'docs/commands.md', '.github/workflows/ci.yml'])
    editFile(root, file, withoutAdopt);
  editFile(root, 'CONTRIBUTING.md', (text) => text.replace(', `npm run test:adopt`', ''));
  editFile(root, 'packages/dev/src/svc.ts', (text) => text.replace(/^ *adopt: .*\n/m, ''));
  editFile(root, '.ci/run', (text) => text.replace(' test:adopt', ''));
}
