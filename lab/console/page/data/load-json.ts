import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getJson } from './console-api.ts';
import { pause, whileVisible } from './visibility.ts';

/** An answer that is asked for again while the component is shown. The last one stays when a later one fails. */
export interface Loaded<T> {
  readonly value: T | null;
  readonly failure: string;
}

export function useJson<T>(path: string, everyMs: number): Signal<Loaded<T>> {
  const loaded = useSignal<Loaded<T>>({ value: null, failure: '' });
  useEffect(() => {
    // The answer to another path.
    loaded.value = { value: null, failure: '' };
    return whileVisible((hidden) => poll<T>(path, everyMs, hidden, loaded));
  }, [path, everyMs]);
  return loaded;
}

async function poll<T>(
  path: string,
  everyMs: number,
  stopped: AbortSignal,
  loaded: Signal<Loaded<T>>,
): Promise<void> {
  while (!stopped.aborted) {
    try {
      const value = await getJson<T>(path, stopped);
      if (!stopped.aborted) loaded.value = { value, failure: '' };
    } catch (error) {
      if (stopped.aborted) return;
      loaded.value = { value: loaded.value.value, failure: (error as Error).message };
    }
    await pause(everyMs, stopped);
  }
}
