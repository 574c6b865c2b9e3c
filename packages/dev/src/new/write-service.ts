import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scope } from '../repository/project.ts';
import type { Files } from './render-template.ts';
import { writeFiles } from './stage-files.ts';

export interface Generator {
  readonly run: () => void;
  /** Returns the paths of the files that `run` writes, from the root. */
  readonly files: () => readonly string[];
}

/**
 * Writes the files, links the new package as `npm install` would, and runs the generator. Returns the paths of all files
 * that have changed or are new. If a step fails, removes the new files and restores the changed ones, the generator's too.
 */
export function writeService(
  root: string,
  service: string,
  files: Files,
  generator: Generator,
): { changed: string[]; added: string[] } {
  const inRoot = (path: string) => join(root, path);
  const link = `node_modules/${scope}/${service}`;
  const folders = [`services/${service}`, `proto/${service}`, `gen/src/${service}`].filter(
    (folder) => !existsSync(inRoot(folder)),
  );
  const before = readTexts(root, [...files.keys(), ...generator.files()]);
  try {
    writeFiles(root, files);
    symlinkSync(`../../services/${service}`, inRoot(link), 'dir');
    generator.run();
  } catch (error) {
    const isNew = (path: string) => before.get(path) === undefined;
    const made = [...before.keys(), ...generator.files()].filter(isNew);
    for (const path of [link, ...made, ...folders]) rmSync(inRoot(path), { recursive: true, force: true });
    for (const [path, text] of before) if (text !== undefined) writeFileSync(inRoot(path), text);
    throw error;
  }
  const after = readTexts(root, [...before.keys(), ...generator.files()]);
  const written = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
  return {
    changed: written.filter((path) => before.get(path) !== undefined),
    added: written.filter((path) => before.get(path) === undefined),
  };
}

/** Returns the texts of files by their paths. Undefined for a file that does not exist. */
function readTexts(root: string, paths: readonly string[]): Map<string, string | undefined> {
  const textOf = (path: string) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;
  return new Map(paths.map((path) => [path, textOf(path)]));
}
