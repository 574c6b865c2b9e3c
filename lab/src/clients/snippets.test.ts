import { expect, test } from 'vitest';
import { snippetsOf } from './snippets.ts';

const markdown =
  '# Clients\n\n## Go\n\n```go main.go\npackage main\n```\n\n```sh\ngo run .\n```\n\n## curl\n';

test('the blocks of a heading are its files and its commands', () => {
  const { files, script } = snippetsOf(markdown, 'Go');
  expect([...files]).toEqual([['main.go', 'package main\n']]);
  expect(script).toBe('go run .\n');
});

test('a heading that does not exist is an error, and one without blocks has none', () => {
  expect(() => snippetsOf(markdown, 'Rust')).toThrow('no heading Rust');
  expect(snippetsOf(markdown, 'curl')).toEqual({ files: new Map(), script: '' });
});
