import type { ServerResponse } from 'node:http';
import { HttpError } from './http-error.ts';

/** Pages that receive a state by server-sent events: once a second, and after each change. */
export interface EventStream extends Disposable {
  /**
   * Begins the stream of a page with the present state. A page that reads too slowly is disconnected, and its browser
   * connects again.
   *
   * @throws HttpError 503 beyond 20 pages.
   */
  add(response: ServerResponse): void;
  /** Sends the state soon, together with other changes. */
  changed(): void;
  readonly size: number;
}

/** Pages at a time. */
export const maxStreams = 20;
/** Bytes that may wait for a page. A state replaces those before it, so that old ones have no value. */
const maxWaitingBytes = 256 * 1024;
/** Pause of the browser before it connects again. */
const retryMs = 1000;
const intervalMs = 1000;
/** Changes within this time are sent together. */
const togetherMs = 30;

/** @param state Returns the present state. */
export function createEventStream(state: () => unknown): EventStream {
  const responses = new Set<ServerResponse>();
  let soon: NodeJS.Timeout | undefined;
  const event = () => `data: ${JSON.stringify(state())}\n\n`;
  const send = () => {
    clearTimeout(soon);
    soon = undefined;
    if (responses.size === 0) return;
    const text = event();
    for (const response of responses)
      if (response.writableLength > maxWaitingBytes) response.destroy();
      else response.write(text);
  };
  const ticking = setInterval(send, intervalMs);
  return {
    add: (response) => {
      if (responses.size >= maxStreams)
        throw new HttpError(503, `${maxStreams} pages are open: close one of them`);
      responses.add(response);
      response.once('close', () => responses.delete(response));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`retry: ${retryMs}\n\n${event()}`);
    },
    changed: () => {
      soon ??= setTimeout(send, togetherMs);
    },
    get size() {
      return responses.size;
    },
    [Symbol.dispose]: () => {
      clearInterval(ticking);
      send();
      for (const response of responses) response.end();
    },
  };
}
