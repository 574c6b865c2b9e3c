import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorText, fail } from '../cli/fail.ts';
import { runCommand } from '../cli/run-command.ts';
import { root } from '../repository/paths.ts';
import { hasSections, keepSections, renderCopy } from './copy-documents.ts';
import { readCopyOptions } from './copy-options.ts';
import { editLists } from './edit-lists.ts';
import { editLockFile } from './edit-lock-file.ts';
import { editManifests } from './edit-manifests.ts';
import { editServices } from './edit-services.ts';
import { isKept } from './kept-paths.ts';
import { readKitPackages } from './kit-packages.ts';
import { original, renameFiles } from './rename.ts';

const given = readCopyOptions();
const options = { ...given, packages: given.packages && resolve(given.packages) };
const { scope, isKitVendored, keepsExamples, freshHistory } = options;
const removesContracts = !keepsExamples || !isKitVendored;

try {
  requireCommittedFiles();
  replaceRepository();
  removeRemains();
  if (freshHistory) {
    rmSync(join(root, '.git'), { recursive: true });
    git('init', '--quiet', '--initial-branch=main');
  }
  git('add', '--all');
} catch (error) {
  fail(error);
}
process.stdout.write(`This repository is ${options.name}. Next:

  npm ci && npm run check && npm test
  fill in .github/CODEOWNERS and the first section of SECURITY.md
  git commit --message "Begin"
${keepsExamples ? '' : '  npm run new:service -- payments\n'}${!removesContracts || freshHistory ? '' : '\nbuf breaking reports the removed contracts until the commit is on origin/main.\n'}`);

function requireCommittedFiles(): void {
  const changes = git('status', '--porcelain');
  if (changes !== '')
    throw new Error(
      `adopt rewrites the whole repository, and restores it from git if it fails: commit or stash first\n${changes}`,
    );
}

/** Makes the copy. Restores the repository if a step fails. */
function replaceRepository(): void {
  try {
    compose();
    if (isKitVendored) useVendoredKit();
    else useInstalledKit();
  } catch (cause) {
    restoreRepository();
    throw new Error(
      `${errorText(cause)}\n\nThe repository is as it was. ${isKitVendored ? '' : 'Run npm ci before the next attempt.'}`,
      { cause },
    );
  }
}

/** Restores the files from git, which had no changes before, and the links that the vendored kit renames. */
function restoreRepository(): void {
  git('reset', '--hard', '--quiet');
  git('clean', '-fd', '--quiet');
  const originalLinks = join(root, 'node_modules', original.scope);
  if (isKitVendored && !existsSync(originalLinks))
    renameSync(join(root, 'node_modules', scope), originalLinks);
}

/** Removes what the copy does not have from the folders that git ignores: packages of the original, and links to them. */
function removeRemains(): void {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  if (!isKitVendored) return;
  const links = join(root, 'node_modules', scope);
  for (const name of readdirSync(links))
    if (!existsSync(join(links, name))) rmSync(join(links, name), { force: true });
}

/** Writes the copy's files in place of this repository's. */
function compose(): void {
  const documents = renderCopy(join(root, 'packages/dev/copy'), options);
  const kit = isKitVendored ? undefined : readKitPackages(root, options);
  for (const file of git('ls-files').split('\n')) if (!isKept(file, options)) rmSync(join(root, file));
  for (const file of files())
    if (hasSections(file)) {
      const text = readFileSync(join(root, file), 'utf8');
      writeFileSync(join(root, file), keepSections(text, options));
    }
  for (const [file, text] of documents) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  removeEmptyFolders(root);
  editLists(root, options);
  editManifests(root, options, kit);
  editServices(root, options);
  renameFiles(root, files(), options);
  editLockFile(root);
}

/** Links the packages by their new names, and generates what depends on them. */
function useVendoredKit(): void {
  const modules = join(root, 'node_modules');
  if (scope !== original.scope) renameSync(join(modules, original.scope), join(modules, scope));
  // In a process of its own: the packages have another scope now.
  run(process.execPath, 'packages/dev/src/svc.ts', 'generate');
  format();
  run('npm', 'install', '--package-lock-only', '--ignore-scripts', '--offline', '--no-audit', '--no-fund');
}

/** Installs the packages in place of the folders, and generates what depends on them. */
function useInstalledKit(): void {
  rmSync(join(root, 'node_modules', original.scope), { recursive: true, force: true });
  try {
    run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund');
  } catch (error) {
    if (options.packages) throw error;
    throw new Error(
      `npm cannot install the kit: publish it to your registry, or run npm run pack and add --packages dist/packages\n${errorText(error)}`,
      { cause: error },
    );
  }
  run(process.execPath, 'node_modules/.bin/svc', 'generate');
  format();
}

/** Sorts the imports, whose order depends on the scope. */
function format(): void {
  run('biome', 'check', '--write', '--colors=off');
}

function files(): string[] {
  const listed = git('ls-files', '--cached', '--others', '--exclude-standard').split('\n');
  return [...new Set(listed)].filter((file) => existsSync(join(root, file)));
}

function removeEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || ['.git', 'node_modules', '.data'].includes(entry.name)) continue;
    const path = join(folder, entry.name);
    removeEmptyFolders(path);
    if (readdirSync(path).length === 0) rmSync(path, { recursive: true });
  }
}

function run(command: string, ...args: string[]): void {
  runCommand(root, command, ...args);
}

function git(...args: string[]): string {
  return runCommand(root, 'git', ...args);
}
