import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { root } from '../../repository/paths.ts';

/** A finding of squawk. Lines and columns count from 0. */
interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule_name: string;
  readonly message: string;
  readonly help: string | null;
}

/** Rules that `migrate` makes needless: it sets both limits, and rolls a failed file back. Attempts fit an int. */
const needless = [
  'prefer-bigint-over-int',
  'prefer-robust-stmts',
  'require-lock-timeout',
  'require-statement-timeout',
];

const remedy =
  'docs/evolve-a-schema.md has a way for each change. Where one is right all the same, state the reason in a comment, ' +
  'and write -- squawk-ignore RULE above the line';

/**
 * Lists the statements of migrations that block writers of an existing table, or that break replicas of the previous
 * release, a line each. Returns undefined when there are none. `.squawk.toml` names the migrations that are exempt because
 * they are older than this check, and a migration never changes.
 */
export function checkMigrations(folder = root): string | undefined {
  const files = globSync('services/*/migrations/*.sql', { cwd: folder }).toSorted();
  if (files.length === 0) return undefined;
  const options = [
    '--reporter=json',
    '--assume-in-transaction',
    `--exclude=${needless.join(',')}`,
    // All of them may be exempt.
    '--no-error-on-unmatched-pattern',
  ];
  const { stdout, stderr, error } = spawnSync('squawk', [...options, ...files], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error) return `squawk is not installed: npm install --save-dev squawk-cli (${error.message})`;
  const findings = parse(stdout);
  if (findings === undefined) return `squawk failed: ${stderr || stdout}`;
  if (findings.length === 0) return undefined;
  const problems = findings.map(
    ({ file, line, rule_name, message, help }) =>
      `${file}:${line + 1}: ${rule_name}: ${[message, help ?? []].flat().join(' ')}`,
  );
  return [...problems, remedy].join('\n');
}

function parse(output: string): Finding[] | undefined {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}
