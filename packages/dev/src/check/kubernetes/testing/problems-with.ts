import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../repository/paths.ts';
import { kubernetesManifests } from '../kubernetes-manifests.ts';

/** What the check says of the repository's manifests with one text of one file replaced. */
export async function problemsWith(file: string, from: string, to: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-'));
  try {
    await cp(join(root, 'deploy/kubernetes'), folder, { recursive: true });
    const text = await readFile(join(folder, file), 'utf8');
    if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
    await writeFile(join(folder, file), text.replaceAll(from, to));
    return await kubernetesManifests(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
