import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

/**
 * Watches the files of a folder and of the folders in it, new ones too. Calls `onChange` with the path of each file or folder that was
 * created, changed, renamed or removed. Node 24's own recursive watch on Linux follows files and not names: it loses a file
 * that an editor replaces by a rename.
 */
export function watchTree(root: string, onChange: (path: string) => void): Disposable {
  const watchers = new Map<string, FSWatcher>();
  const drop = (folder: string) => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const follow = (path: string) => {
    if (!isFolder(path)) drop(path);
    // Its files may be older than its watch.
    else if (!watchers.has(path)) for (const file of addIfPresent(path)) onChange(file);
    onChange(path);
  };
  /** A folder may be gone again. */
  const addIfPresent = (folder: string) => {
    try {
      return add(folder);
    } catch {
      drop(folder);
      return [];
    }
  };
  /** Watches a folder and those in it. Returns their files. */
  const add = (folder: string): string[] => {
    const watcher = watch(folder, (_event, name) => name !== null && follow(join(folder, name)));
    watcher.on('error', () => drop(folder));
    watchers.set(folder, watcher);
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? add(path) : [path];
    });
  };
  add(root);
  return {
    [Symbol.dispose]: () => {
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
