import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { services } from '../repository/load-services.ts';
import { root } from '../repository/paths.ts';
import { addToList } from './add-to-list.ts';
import { deploymentLists } from './deployment-lists.ts';
import { planService } from './plan-service.ts';

/** A name that no service of this repository has, nor of a copy. */
const name =
  ['exhibits', 'artefacts', 'curios'].find((each) => services.every((other) => other.name !== each)) ?? '';

const service = {
  plan: planService(name, { rpcs: [] }),
  ports: { port: 50099, webPort: 8099, metricsPort: 9499 },
  rendered: new Map(),
};

/** A copy may lack a component. */
const lists = Object.entries(deploymentLists).filter(([file]) => existsSync(join(root, file)));

test.each(lists)('a new service adds one line to %s and changes no other', (file, edit) => {
  const text = readFileSync(join(root, file), 'utf8');
  const after = edit(text, service).split('\n');
  // The list of a repository without services is empty.
  const before = text.replaceAll(/(?<=:) \[\]$/gm, '').split('\n');
  const added = after.filter((line) => !before.includes(line));
  expect(added).toEqual([expect.stringContaining(name)]);
  expect(after.filter((line) => !added.includes(line))).toEqual(before);
});

test.each([
  ['resources: {}', 'resources is not a list'],
  ['bases: []', 'resources is not a list'],
  ['resources: [', 'Flow sequence'],
])('a file without the list is an error: %s', (text, problem) => {
  expect(() => addToList(text, ['resources'], 'specimens')).toThrow(problem);
});
