import { Code, ConnectError } from '@connectrpc/connect';
import { computed, type Signal } from '@preact/signals';
import { isUp } from './live.ts';
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

/**
 * Watches a service until the signal aborts. A watch that breaks is resumed with its last token as soon as the service is up. The
 * page does not call a service that is down: browsers log a refused connection as an error.
 */
export async function keepWatching<Response extends { readonly resumeToken: string }>(
  watch: Watch<Response>,
  signal: AbortSignal,
): Promise<void> {
  let resumeToken = '';
  while (!signal.aborted) {
    await untilUp(watch.service, signal);
    try {
      for await (const response of watch.open(resumeToken, signal)) {
        if (resumeToken === '') await watch.list(signal);
        watch.state.value = 'live';
        resumeToken = response.resumeToken;
        watch.take(response);
      }
    } catch (error) {
      // The token's events are gone: watch from now on, and list.
      if (ConnectError.from(error).code === Code.OutOfRange) resumeToken = '';
    }
    if (signal.aborted) return;
    watch.state.value = 'interrupted';
    await pause(reopenMs, signal);
  }
}

/** Resolves when the service is up, or when the signal aborts. */
async function untilUp(service: string, signal: AbortSignal): Promise<void> {
  const canCall = computed(() => session.value !== null && isUp(service));
  if (canCall.value || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = canCall.subscribe((is) => is && resolve());
    signal.addEventListener('abort', () => resolve());
    signal.addEventListener('abort', end);
  });
}
