import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { runCommand } from '../cli/run-command.ts';
import { root } from '../repository/paths.ts';
import { removeAdopt, removeExamples } from './remove-parts.ts';
import { currentScope, renameScope } from './rename-scope.ts';

const usage = `usage: npm run adopt -- --scope @SCOPE [--keep orders,inventory|none] [--fresh-history]

Makes a fresh clone your own repository. It is run once.`;

const {
  values: { scope, keep, 'fresh-history': freshHistory },
} = parseCommandLine({
  usage,
  options: {
    scope: { type: 'string', default: '' },
    keep: { type: 'string', default: 'orders,inventory' },
    'fresh-history': { type: 'boolean', default: false },
  },
});
if (!/^@[a-z0-9][a-z0-9-]{0,38}$/.test(scope))
  fail(`--scope must be a scope of npm, such as @mycompany\n${usage}`);
if (keep !== 'none' && keep.split(',').sort().join() !== 'inventory,orders')
  fail(`--keep must be orders,inventory or none, because orders calls inventory\n${usage}`);

const changes = git('status', '--porcelain');
if (changes !== '')
  fail(
    `adopt rewrites the whole repository, and restores it from git if it fails: commit or stash first\n${changes}`,
  );

try {
  if (keep === 'none') removeExamples(root);
  removeAdopt(root);
  const files = git('ls-files', '--cached', '--others', '--exclude-standard').split('\n');
  renameScope(
    root,
    files.filter((file) => existsSync(join(root, file))),
    scope,
  );
  run('buf', 'format', '--write');
  // In a process of its own: the packages have another scope now.
  run(process.execPath, 'packages/dev/src/svc.ts', 'generate');
  // Sorts the imports, whose order depends on the scope.
  run('biome', 'check', '--write', '--colors=off');
  run('npm', 'install', '--package-lock-only', '--ignore-scripts', '--offline', '--no-audit', '--no-fund');
} catch (error) {
  // The tree was clean, so this reverts only the changes made above.
  git('reset', '--hard', '--quiet');
  git('clean', '-fd', '--quiet');
  const renamed = join(root, 'node_modules', scope);
  if (existsSync(renamed)) renameSync(renamed, join(root, 'node_modules', currentScope));
  fail(error);
}

// Links to packages that were removed.
const links = join(root, 'node_modules', scope);
for (const name of readdirSync(links))
  if (!existsSync(join(links, name))) rmSync(join(links, name), { force: true });
if (freshHistory) {
  rmSync(join(root, '.git'), { recursive: true });
  git('init', '--quiet', '--initial-branch=main');
}
git('add', '--all');
process.stdout.write(`The packages have the scope ${scope}. Next:

  npm ci && npm run check && npm test
  edit the names in README.md, SECURITY.md and .github/CODEOWNERS
  git commit --message "Begin"
${keep === 'none' ? '  npm run new:service -- payments\n' : ''}${keep === 'none' && !freshHistory ? `\nbuf breaking reports the removed contracts until the commit is on origin/main.\n` : ''}`);

function run(command: string, ...args: string[]): void {
  runCommand(root, command, ...args);
}

function git(...args: string[]): string {
  try {
    return runCommand(root, 'git', ...args);
  } catch (error) {
    return fail(error);
  }
}
