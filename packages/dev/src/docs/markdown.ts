import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** The line that it starts on. */
  readonly line: number;
  /** What an HTML comment right above, which a reader does not see, says before it: `<!-- ts … -->`. */
  readonly preamble: string;
}

/** Every Markdown file of a repository, as paths from its root. */
export function markdownFiles(folder: string): string[] {
  return globSync(['**/*.md', '.github/**/*.md'], {
    cwd: folder,
    exclude: ['**/node_modules', '.data'],
  }).sort();
}

export function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

const blockPattern =
  /(?:^<!-- \w+\n(?<preamble>[\s\S]*?)-->\n\n?)?^```(?<language>\w*)[^\n]*\n(?<code>[\s\S]*?)^```$/gm;

/** The fenced blocks of a Markdown text. */
export function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(blockPattern)].map(({ groups, index }) => ({
    language: groups?.language ?? '',
    code: groups?.code ?? '',
    line: text.slice(0, index).split('\n').length,
    preamble: groups?.preamble ?? '',
  }));
}

/** Everything that is set as code: blocks, and spans in the text. */
export function codeTexts(text: string): string[] {
  const spans = text.replaceAll(blockPattern, '').matchAll(/`([^`]+)`/g);
  return [...codeBlocks(text).map(({ code }) => code), ...[...spans].map(([, code]) => code ?? '')];
}

/** The targets of links and images. */
export function linkTargets(text: string): string[] {
  return [...text.replaceAll(blockPattern, '').matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target]) => target ?? '',
  );
}

/** The anchors that GitHub gives a text's headings. */
export function anchors(text: string): string[] {
  const headings = text.replaceAll(blockPattern, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
