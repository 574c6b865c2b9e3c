import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { read } from './markdown.ts';

const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  read(root, 'package.json'),
);

/** The scripts of this repository's programs. The usage of vitest, Biome and Changesets is theirs. */
const programs = new Map(
  Object.entries(scripts)
    .map(([name, script]) => [name, script.split(' ')] as const)
    .filter(([, [program]]) => program === 'svc' || program === 'node')
    .map(([name, [program, ...args]]) => [
      name,
      program === 'svc' ? ['node_modules/.bin/svc', ...args] : args,
    ]),
);

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs each program with this argument, as many at once as there are cores. Returns the results by the names of the scripts. */
async function runAll(argument: string): Promise<Record<string, Ended>> {
  const results: Record<string, Ended> = {};
  const queue = [...programs];
  const work = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) results[next[0]] = await run(...next[1], argument);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const portsOfServices = services.flatMap(({ name }) =>
  ['port', 'web-port', 'metrics-port'].map((port) => `--${name}-${port}`),
);

/** Returns the options in a text: `--data`. Those of a service are its own, and it may be newer than the document. */
function optionsIn(text: string): string[] {
  const options = new Set(text.match(/--[a-z][a-z-]*/g)).difference(new Set(portsOfServices));
  return [...options].toSorted();
}

test('every script prints its usage, and docs/commands.md has its first line and its options', async () => {
  const lines = read(root, 'docs/commands.md').split('\n');
  // A copy's document has fewer.
  const hasOptions = lines.includes('| command | effect | options |');
  const hasUsage = lines.includes('## Usage');
  for (const [name, result] of Object.entries(await runAll('--help'))) {
    expect(result, name).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^usage: (npm run|npx svc) [^\n]+\n\n/),
    });
    const verb = name === 'start' ? 'npm start' : `npm run ${name}`;
    const [firstLine = ''] = result.stdout.split('\n');
    const usage = `| \`${verb}\` | \`${firstLine.replace('usage: ', '')}\` |`;
    if (hasUsage) expect(lines).toContain(usage);
    const row = lines.find((line) => line.includes(`| \`${verb}\``) || line.includes(`| \`${verb} `)) ?? '';
    const options = optionsIn((row.split(' | ')[2] ?? row).replaceAll(/`npx svc [^`]*`/g, ''));
    const inUsage = optionsIn(
      [...result.stdout.matchAll(/^ {2}(-\w, )?--.*?(?= {2})|\[--[a-z-]+/gm)].join('\n'),
    );
    if (hasOptions) expect({ [name]: options }).toEqual({ [name]: inUsage });
    else expect({ [name]: inUsage }).toEqual({ [name]: expect.arrayContaining(options) });
  }
}, 120_000);

test('every script rejects an unknown option in one line', async () => {
  for (const [name, result] of Object.entries(await runAll('--no-such-option')))
    expect(result, name).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^unknown option --no-such-option: (npm run|npx svc) [^\n]+\n$/),
    });
}, 120_000);
