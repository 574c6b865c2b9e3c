import { computed, signal } from '@preact/signals';
import type { Live, Part, PartState } from '../../api.ts';
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
    await untilClosed(stopped);
    isConnected.value = stopped.aborted;
    await pause(reopenMs, stopped);
  }
});

/** Receives until the stream fails or the page is hidden. */
function untilClosed(stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const source = new EventSource('/api/live');
    const close = () => {
      source.close();
      stopped.removeEventListener('abort', close);
      resolve();
    };
    source.onmessage = ({ data }: MessageEvent<string>) => {
      live.value = JSON.parse(data);
      isConnected.value = true;
    };
    source.onerror = close;
    stopped.addEventListener('abort', close);
  });
}
