import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { CopyOptions } from './copy-options.ts';

/** A line that begins a section, `<!-- <installed> -->`, `# <lab>` or `// <none>`. `</installed>` ends it. */
const sectionLine = /^\s*(?:<!--|#|\/\/) <(\/?)([a-z]+)>(?: -->)?$/;

/** Files of this repository that mark the sections of a copy, besides its documents. */
const markedFiles = ['.dockerignore', '.gitattributes', '.squawk.toml'];

/** Returns whether a file of this repository may mark the sections of a copy. */
export function hasSections(file: string): boolean {
  return file.endsWith('.md') || markedFiles.includes(file);
}

/**
 * Returns the text with the sections of this copy, without the lines that begin and end them:
 *
 * - `vendored`, `installed`: by the kit
 * - `examples`, `none`: by the services
 * - `lab`: copies with the lab
 * - `bare`: copies without the lab
 *
 * @throws Error for an unknown section, or one that does not end.
 */
export function keepSections(text: string, options: CopyOptions): string {
  const { keepsExamples, isKitVendored, keepsLab } = options;
  const isWanted: Readonly<Record<string, boolean>> = {
    vendored: isKitVendored,
    installed: !isKitVendored,
    examples: keepsExamples,
    none: !keepsExamples,
    lab: keepsLab,
    bare: !keepsLab,
  };
  const open: string[] = [];
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const [match, slash, name = ''] = sectionLine.exec(line) ?? [];
    if (match === undefined) {
      if (open.every((section) => isWanted[section])) kept.push(line);
    } else if (!(name in isWanted)) throw new Error(`there is no section ${name}`);
    else if (slash === '') open.push(name);
    else if (open.pop() !== name) throw new Error(`the section ${name} ends before it begins`);
  }
  if (open.length > 0) throw new Error(`the section ${open.join(', ')} does not end`);
  return kept.join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

/** Returns the files that a copy has in place of this repository's: those of the folder, whose names end in `.tmpl`. */
export function renderCopy(folder: string, options: CopyOptions): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const rendered = new Map<string, string>();
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const text = keepSections(readFileSync(path, 'utf8'), options);
    if (text.trim() !== '') rendered.set(relative(folder, path).replace(/\.tmpl$/, ''), text);
  }
  return rendered;
}
