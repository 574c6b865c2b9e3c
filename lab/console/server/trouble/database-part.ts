import type { RunningDatabase } from '@acme/dev/services';
import type { Breakable } from './breakable.ts';

/** The PostgreSQL of all services. */
export function databasePart(database: RunningDatabase): Breakable {
  const start = () => database.start();
  return {
    id: 'database',
    kind: 'database',
    name: 'PostgreSQL',
    observe: async () => (database.isRunning ? 'up' : 'down'),
    possible: (state) => (state === 'up' ? ['kill'] : ['restart']),
    act: (action) => (action === 'kill' ? database.kill() : start()),
    undo: start,
    release: () => {},
  };
}
