import { Code, ConnectError } from '@connectrpc/connect';
import { computed, type Signal } from '@preact/signals';
import { canCall } from './live.ts';
import { session } from './session.ts';
import { pause } from './visibility.ts';

/** `live`: the data is what the service has. Otherwise it is what the service had. */
export type WatchState = 'connecting' | 'live' | 'interrupted';

export interface Watch<Response extends { readonly resumeToken: string }> {
  readonly service: string;
  readonly state: Signal<WatchState>;
  open(resumeToken: string, signal: AbortSignal): AsyncIterable<Response>;
  /** Reads what the service has now, after a watch without a resume token has started. */
  list(signal: AbortSignal): Promise<void>;
  take(response: Response): void;
}

const reopenMs = 500;
const withoutToken: ReadonlySet<Code> = new Set([Code.OutOfRange, Code.InvalidArgument]);

/**
 * Watches a service until the signal aborts. A watch that breaks is resumed with its last token as soon as the service can
 * be called.
 */
export async function keepWatching<Response extends { readonly resumeToken: string }>(
  watch: Watch<Response>,
  signal: AbortSignal,
): Promise<void> {
  let resumeToken = '';
  while (!signal.aborted) {
    await untilReady(watch.service, signal);
    if (signal.aborted) return;
    try {
      for await (const response of watch.open(resumeToken, signal)) {
        if (resumeToken === '') await watch.list(signal);
        watch.state.value = 'live';
        resumeToken = response.resumeToken;
        watch.take(response);
      }
    } catch (error) {
      // The token's events are gone, or it is of another database: watch from now on, and list.
      if (withoutToken.has(ConnectError.from(error).code)) resumeToken = '';
    }
    if (signal.aborted) return;
    watch.state.value = 'interrupted';
    await pause(reopenMs, signal);
  }
}

/** Resolves when the service can be called, or when the signal aborts. */
export async function untilReady(service: string, signal: AbortSignal): Promise<void> {
  const isReady = computed(() => session.value !== null && canCall(service));
  if (isReady.value || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  const unsubscribe = isReady.subscribe((is) => is && resolve());
  signal.addEventListener('abort', stop);
  await promise;
  unsubscribe();
  signal.removeEventListener('abort', stop);
}
