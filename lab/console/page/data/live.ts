import { computed, signal } from '@preact/signals';
import type { Live, Part, PartState } from '../../api.ts';
import { readEvents } from './console-api.ts';
import { pause, whileVisible } from './visibility.ts';

const reopenMs = 1000;

/** The newest state that the console has sent. Null before the first. */
export const live = signal<Live | null>(null);
/** Whether the console sends. `live` is old when it does not. */
export const isConnected = signal(true);

export const phase = computed(() => live.value?.phase ?? 'starting');
export const parts = computed<readonly Part[]>(() => live.value?.parts ?? []);

export function partOf(service: string): Part | undefined {
  return parts.value.find(({ id }) => id === `service:${service}`);
}

/** Returns whether a service can be called. The port of one that is down refuses, which browsers log as an error. */
export function canCall(service: string): boolean {
  const state = partOf(service)?.state;
  return isConnected.value && phase.value === 'running' && state !== undefined && !notListening.has(state);
}

const notListening: ReadonlySet<PartState> = new Set(['down', 'starting']);

whileVisible(async (stopped) => {
  while (!stopped.aborted) {
    await readEvents<Live>('/api/live', stopped, receive).catch(() => {});
    isConnected.value = stopped.aborted;
    await pause(reopenMs, stopped);
  }
});

function receive(newest: Live): void {
  live.value = newest;
  isConnected.value = true;
}
