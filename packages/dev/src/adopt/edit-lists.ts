import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Document, isScalar, isSeq } from 'yaml';
import { projectFiles } from '../generate/project-file-names.ts';
import { editYaml } from '../repository/edit-yaml.ts';
import type { CopyOptions } from './copy-options.ts';
import { examples } from './kept-paths.ts';
import { original } from './rename.ts';

/** Removes from the YAML files of a copy what names a file, a job or a service that it does not have. */
export function editLists(root: string, options: CopyOptions): void {
  const has = (...path: string[]) => existsSync(join(root, ...path));
  editFile(root, 'docker-compose.yml', (compose) =>
    keepItems(compose, ['include', 0, 'path'], (path: string) => has(path)),
  );
  for (const file of globSync('deploy/**/kustomization.yaml', { cwd: root }))
    editFile(root, file, (kustomization) => {
      const isFile = (path: string) =>
        has(dirname(file), path) || projectFiles.includes(join(dirname(file), path));
      keepItems(kustomization, ['resources'], isFile);
      keepItems(kustomization, ['configMapGenerator', 0, 'files'], isFile);
      if (!options.keepsExamples) removeExamples(kustomization);
    });
  editContract(root, options);
  if (options.keepsLab) {
    editFile(root, '.github/workflows/ci.yml', (workflow) =>
      keepItems(
        workflow,
        ['jobs', 'template', 'steps'],
        ({ run }: { run?: string }) => !run?.includes('test:adopt'),
      ),
    );
    return;
  }
  editFile(root, '.github/workflows/ci.yml', (workflow) => keepJobs(workflow, ['check', 'test']));
  editFile(root, '.github/workflows/images.yml', (workflow) => keepJobs(workflow, ['services', 'scan']));
}

/** Removes the images and the callers of the example services from an overlay. */
function removeExamples(kustomization: Document): void {
  const names = examples.map((name) => `${original.name}-${name}`);
  keepItems(kustomization, ['images'], ({ name }: { name: string }) => !names.includes(name));
  const { configMapGenerator: maps = [] } = kustomization.toJS();
  for (const [index, { name }] of maps.entries())
    if (name === 'peers') keepItems(kustomization, ['configMapGenerator', index, 'literals'], () => false);
}

/** Lists the modules of the contract that the copy has. buf rejects a module without files. */
function editContract(root: string, { isKitVendored }: CopyOptions): void {
  const installed = `node_modules/${original.scope}/rpc/proto`;
  editFile(root, 'buf.yaml', (contract) => {
    const exists = (path: string) => existsSync(join(root, path));
    keepItems(contract, ['modules'], ({ path }: { path: string }) => exists(path));
    keepItems(contract, ['lint', 'ignore'], exists);
    if (isKitVendored) return;
    addItem(contract, ['modules'], { path: installed });
    addItem(contract, ['lint', 'ignore'], installed);
  });
}

function keepJobs(workflow: Document, kept: readonly string[]): void {
  for (const name of Object.keys(workflow.toJS().jobs))
    if (!kept.includes(name)) workflow.deleteIn(['jobs', name]);
}

function addItem(document: Document, path: readonly string[], item: unknown): void {
  document.addIn(path, document.createNode(item));
  const list = document.getIn(path, true);
  if (isSeq(list)) list.flow = false;
}

/** Removes the items of a list that are not wanted, with their comments. Does nothing where there is no list. */
function keepItems<Item>(
  document: Document,
  path: readonly (string | number)[],
  isWanted: (item: Item) => boolean,
): void {
  const list = document.getIn(path, true);
  if (!isSeq(list)) return;
  const value = (item: unknown) =>
    (isScalar(item) ? item.value : (item as { toJSON(): unknown }).toJSON()) as Item;
  list.items = list.items.filter((item) => isWanted(value(item)));
  if (list.items.length === 0) list.flow = true;
}

function editFile(root: string, file: string, change: (document: Document) => void): void {
  const path = join(root, file);
  writeFileSync(path, editYaml(readFileSync(path, 'utf8'), change));
}
