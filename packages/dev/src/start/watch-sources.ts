import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { watchTree } from './watch-tree.ts';

/** A burst of changes, as of a checkout or a save of several files, ends after this time without one. */
const pauseMs = 100;
/** Maximum duration of a burst. */
const maxBurstMs = 1000;

/** Files that a service loads. */
const isLoaded = (file: string) =>
  /\.(?:[cm]?[jt]s|json|sql)$/.test(file) && !/\.test\.[cm]?[jt]s$/.test(file);

/** Folders of one service, and folders of all. */
const ownFolders = (service: string) => [`services/${service}/src`, `services/${service}/migrations`];
const sharedFolders = ['packages/*/src', 'gen/src'];

/**
 * Watches the sources of a repository's services. After each burst of changes it calls `onChange` for each service that loads a
 * changed file, with the path of the first such file. Every service loads the files of `packages` and the generated code.
 */
export function watchSources(
  repository: string,
  services: readonly string[],
  onChange: (service: string, file: string) => void,
): Disposable {
  const changed = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let burstEndMs = 0;
  const report = () => {
    timer = undefined;
    const reported = [...changed];
    changed.clear();
    for (const [service, file] of reported) onChange(service, file);
  };
  const watchFolder = (folder: string, affected: readonly string[]) =>
    watchTree(folder, (path) => {
      if (!isLoaded(path)) return;
      for (const service of affected)
        if (!changed.has(service)) changed.set(service, relative(repository, path));
      if (!timer) {
        timer = setTimeout(report, pauseMs);
        burstEndMs = performance.now() + maxBurstMs;
      } else if (performance.now() < burstEndMs) timer.refresh();
    });
  const watchers = [
    ...services.map((service) => ({ patterns: ownFolders(service), affected: [service] })),
    { patterns: sharedFolders, affected: services },
  ].flatMap(({ patterns, affected }) =>
    globSync(patterns, { cwd: repository }).map((folder) => watchFolder(join(repository, folder), affected)),
  );
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher[Symbol.dispose]();
    },
  };
}
