import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crashText } from './crash-text.ts';

/** Returns the text of the crash of a program that imports a module with these sources. */
function crashOf(text: string): string {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'crash-'));
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder.path, 'main.ts'), `import './part.ts';\n`);
  writeFileSync(join(folder.path, 'part.ts'), text);
  const { stderr } = spawnSync(process.execPath, [join(folder.path, 'main.ts')], { encoding: 'utf8' });
  return crashText(stderr).replaceAll(folder.path, '');
}

test('a syntax error is its place and its message', () => {
  expect(crashOf('export const a = 1;\nconst = 2;\n')).toMatch(
    /^file:\/\/\/part\.ts:2\nexport const a = 1;\nconst = 2;\n +\^\n\nSyntaxError \[\w+\]: Unexpected token `=`.*$/,
  );
});

test('a module that is missing, or lacks an export, is named', () => {
  expect(crashOf(`import './none.ts';\n`)).toMatch(/^Error \[ERR_MODULE_NOT_FOUND\]: Cannot find module .*$/);
  expect(crashOf(`import { none } from 'node:fs';\nnone();\n`)).toMatch(
    /^file:\/\/\/part\.ts:1\nimport .*\n +\^+\nSyntaxError: The requested module .*$/,
  );
});

test('a thrown error keeps its frames in the sources, and its fields', () => {
  const text = `function fail() {\n  throw Object.assign(new Error('no'), { port: 1 });\n}\nfail();\n`;
  expect(crashOf(text)).toMatch(
    /\n\nError: no\n +at fail \(file:.*\)\n +at file:\/\/\/part\.ts:4:1 \{\n {2}port: 1\n\}$/,
  );
  const late = `setImmediate(() => {\n  throw Object.assign(new Error('no'), { port: 1 });\n});\n`;
  expect(crashOf(late)).toMatch(
    /\n\nError: no\n +at Immediate\.<anonymous> \(file:.*\) \{\n {2}port: 1\n\}$/,
  );
});

test('the line of a service that names its problem stays as it is', () => {
  expect(crashText('ORDERS_TARGET is missing\n')).toBe('ORDERS_TARGET is missing');
});
