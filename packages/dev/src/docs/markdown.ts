import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** Line number of its first line. */
  readonly line: number;
  /** Code in an HTML comment directly above, which readers do not see: `<!-- ts … -->`. */
  readonly preamble: string;
}

/** Returns the paths of the Markdown files of a repository, from its root. */
export function markdownFiles(folder: string): string[] {
  return globSync(['**/*.md', '.github/**/*.md'], {
    cwd: folder,
    exclude: ['**/node_modules', '.data', 'dist'],
  }).sort();
}

export function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

const blockPattern =
  /(?:^<!-- \w+\n(?<preamble>[\s\S]*?)-->\n\n?)?^```(?<language>\w*)[^\n]*\n(?<code>[\s\S]*?)^```$/gm;

/** Returns the fenced blocks of a Markdown text. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(blockPattern)].map(({ groups, index }) => ({
    language: groups?.language ?? '',
    code: groups?.code ?? '',
    line: text.slice(0, index).split('\n').length,
    preamble: groups?.preamble ?? '',
  }));
}

/** Returns the text of every block and span of code. */
export function codeTexts(text: string): string[] {
  const spans = text.replaceAll(blockPattern, '').matchAll(/`([^`]+)`/g);
  return [...codeBlocks(text).map(({ code }) => code), ...[...spans].map(([, code]) => code ?? '')];
}

/** Returns the targets of links and images. */
export function linkTargets(text: string): string[] {
  return [...text.replaceAll(blockPattern, '').matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target]) => target ?? '',
  );
}

/** Returns the anchors that GitHub gives to the headings of a text. */
export function anchors(text: string): string[] {
  const headings = text.replaceAll(blockPattern, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
