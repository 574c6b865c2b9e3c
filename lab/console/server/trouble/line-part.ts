import type { FaultProxy } from '@acme/rpc/testing';
import type { PartState } from '../../api.ts';
import type { Breakable } from './breakable.ts';

/** The line between a service and one that it calls, through a proxy. */
export function linePart(caller: string, called: string, proxy: FaultProxy): Breakable {
  let state: PartState = 'up';
  const undo = () => {
    proxy.heal();
    state = 'up';
  };
  return {
    id: `line:${caller}-${called}`,
    kind: 'line',
    name: `${caller} → ${called}`,
    observe: async () => state,
    possible: () => ['cut', 'delay', 'black-hole'],
    act: async (action, { delayMs }) => {
      undo();
      if (action === 'cut') {
        proxy.refuseConnections();
        proxy.severAll();
        state = 'cut';
        return;
      }
      const faults = action === 'delay' ? { delayMs } : { blackHole: true };
      proxy.inject('upstream', faults);
      proxy.inject('downstream', faults);
      state = action === 'delay' ? 'delayed' : 'black-holed';
    },
    undo: async () => undo(),
    release: undo,
  };
}
