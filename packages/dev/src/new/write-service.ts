import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scope } from '../repository/project.ts';
import type { Files } from './render-template.ts';
import { writeFiles } from './stage-files.ts';

/**
 * Writes the files, links the new package as `npm install` would, and calls `generate`. If a step fails, removes the
 * new files and restores the changed ones.
 */
export function writeService(root: string, service: string, files: Files, generate: () => void): void {
  const inRoot = (path: string) => join(root, path);
  const link = `node_modules/${scope}/${service}`;
  const folders = [`services/${service}`, `proto/${service}`, `gen/src/${service}`].filter(
    (folder) => !existsSync(inRoot(folder)),
  );
  const before = [...files.keys()]
    .map(inRoot)
    .filter((path) => existsSync(path))
    .map((path) => ({ path, bytes: readFileSync(path) }));
  try {
    writeFiles(root, files);
    symlinkSync(`../../services/${service}`, inRoot(link), 'dir');
    generate();
  } catch (error) {
    const made = [link, ...files.keys(), ...folders].map(inRoot).filter((path) => existsSync(path));
    for (const path of made) rmSync(path, { recursive: true, force: true });
    for (const { path, bytes } of before) writeFileSync(path, bytes);
    throw error;
  }
}
