import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import { anchors, codeBlocks, codeTexts, linkTargets, markdownFiles, read } from './markdown.ts';

const files = markdownFiles(root);
const { scripts } = JSON.parse(read(root, 'package.json'));

/** Commands of npm that are not scripts. */
const npmVerbs = ['ci', 'install', 'outdated', 'run', 'update'];

/** Returns the npm commands in a text that are neither a script nor a command of npm. */
function unknownCommands(text: string): string[] {
  const named = [...text.matchAll(/\bnpm (run )?([a-z][\w:-]*)/g)];
  return named
    .filter(([, run, name = '']) => !(name in scripts) && (run || !npmVerbs.includes(name)))
    .map(([command]) => command);
}

test('the Markdown files of the repository are found', () => {
  expect(files).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'packages/rpc/README.md']));
});

test('no document has the marks of a merge conflict', () => {
  expect(files.filter((file) => /^(<{7}|>{7}) /m.test(read(root, file)))).toEqual([]);
});

test('every npm command in the documents exists', () => {
  const unknown = files.flatMap((file) =>
    codeTexts(read(root, file))
      .flatMap(unknownCommands)
      .map((command) => `${file}: ${command}`),
  );
  expect(unknown).toEqual([]);
});

test('every npm command that CI runs exists', () => {
  const ci = ['.ci/run', ...globSync('.github/workflows/*.yml', { cwd: root })];
  const withoutComments = ci.map((file) => read(root, file).replaceAll(/^\s*#.*$/gm, ''));
  expect(withoutComments.flatMap(unknownCommands)).toEqual([]);
});

test('docs/commands.md names every script', () => {
  const named = codeTexts(read(root, 'docs/commands.md')).join('\n');
  const verbs = Object.keys(scripts).map((name) => (['start', 'test'].includes(name) ? name : `run ${name}`));
  expect(verbs.filter((verb) => !named.includes(`npm ${verb}`))).toEqual([]);
});

test('a command that does not exist is reported', () => {
  expect(
    codeTexts('`npm run nothing`\n\n```sh\nnpm ci && npm nowhere\n```\n').flatMap(unknownCommands),
  ).toEqual(['npm nowhere', 'npm run nothing']);
});

/** Returns the links of a file whose target does not exist in the repository. */
function brokenLinks(file: string, text: string): string[] {
  return linkTargets(text).filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const linked = path === '' ? file : join(dirname(file), decodeURI(path));
    if (!existsSync(join(root, linked))) return true;
    return anchor !== undefined && !anchors(read(root, linked)).includes(anchor);
  });
}

test('the target of every relative link in the documents exists', () => {
  const broken = files.flatMap((file) =>
    brokenLinks(file, read(root, file)).map((link) => `${file}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test('a link without a target is reported', () => {
  const text = '[a](README.md) [b](README.md#run-it) [c](nothing.md) [d](README.md#nothing) [e](https://x.y)';
  expect(brokenLinks('CHANGELOG.md', text)).toEqual(['nothing.md', 'README.md#nothing']);
});

/** Compiles these sources as files of the repository, and returns the output of the compiler. */
function compile(sources: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'snippets-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    // An excerpt need not use all that it declares.
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
    );
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, name), source);
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout, error } = spawnSync(tsc, ['--project', folder], { cwd: folder, encoding: 'utf8' });
    if (error) throw error;
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('every TypeScript block in the documents compiles', () => {
  const sources: Record<string, string> = { 'wrong.ts': 'export const wrong: string = 1;\n' };
  for (const file of files)
    for (const { language, code, line, preamble } of codeBlocks(read(root, file)))
      if (language === 'ts')
        sources[`${file.replaceAll(/\W/g, '-')}-line-${line}.ts`] = `export {};\n${preamble}\n${code}`;
  expect(Object.keys(sources).length).toBeGreaterThan(1);
  // The error of wrong.ts shows that the compiler read the files.
  expect(compile(sources)).toMatch(/^wrong\.ts\(1,14\): error TS2322: [^\n]*\n$/);
}, 60_000);

/** Removes the comments and the layout of a contract. */
function bare(proto: string): string {
  return proto
    .replaceAll(/\/\/[^\n]*/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Whether a contract has the lines of an excerpt. A line `// …` stands for lines that the excerpt leaves out. */
function hasExcerpt(proto: string, excerpt: string): boolean {
  const parts = excerpt.split(/^ *\/\/ …$/m).map(bare);
  let from = 0;
  return parts.every((part) => {
    const found = proto.indexOf(part, from);
    from = found + part.length;
    return found >= 0;
  });
}

/** Returns the excerpts of a contract in a text that are in no .proto of the repository. */
function unknownExcerpts(text: string): string[] {
  const contract = globSync('{proto,packages/rpc/proto}/**/*.proto', { cwd: root }).map((file) =>
    bare(read(root, file)),
  );
  return codeBlocks(text)
    .filter(({ language }) => language === 'proto')
    .map(({ code }) => code)
    .filter((code) => !contract.some((proto) => hasExcerpt(proto, code)));
}

test('every excerpt of the contract in the documents is in the contract', () => {
  expect(files.flatMap((file) => unknownExcerpts(read(root, file)))).toEqual([]);
});

test('an excerpt that is not in the contract is reported', () => {
  expect(unknownExcerpts('```proto\npackage policy.v1; // comment\n```\n')).toEqual([]);
  expect(unknownExcerpts('```proto\nmessage Nothing {}\n```\n')).toEqual(['message Nothing {}\n']);
  expect(unknownExcerpts('```proto\npackage policy.v1;\n// …\nmessage Quota {\n```\n')).toEqual([]);
  expect(unknownExcerpts('```proto\nmessage Quota {\n// …\npackage policy.v1;\n```\n')).toHaveLength(1);
});
