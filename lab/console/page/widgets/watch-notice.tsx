import { isConnected, partOf, phase } from '../data/live.ts';
import type { WatchState } from '../data/watch.ts';
import { Notice } from './notice.tsx';

/** Says why the data of a watch is old, or absent. Nothing while it is live. */
export function WatchNotice({ service, state }: { readonly service: string; readonly state: WatchState }) {
  const part = partOf(service)?.state ?? 'down';
  if (state === 'live' && part !== 'paused') return null;
  if (!isConnected.value || phase.value !== 'running') return <Notice>Waits for the services.</Notice>;
  if (part === 'up') return <Notice>Opens a watch of {service}.</Notice>;
  return (
    <Notice>
      {service} is {part}. This is what it last reported; it follows again when {service} is up.
    </Notice>
  );
}
