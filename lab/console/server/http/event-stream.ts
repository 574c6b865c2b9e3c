import type { ServerResponse } from 'node:http';
import { HttpError } from './http-error.ts';

/** Pages that receive server-sent events. */
export interface EventStream extends Disposable {
  /**
   * Begins the stream of a page with the present state.
   *
   * @throws HttpError 503 beyond 20 pages.
   */
  add(response: ServerResponse): void;
  /** Sends the present state to all pages. One that reads too slowly is disconnected, and its browser connects again. */
  send(): void;
  readonly size: number;
}

const maxStreams = 20;
/** Bytes that may wait for a page. A state replaces those before it, so that old ones have no value. */
const maxWaitingBytes = 256 * 1024;
/** Pause of the browser before it connects again. */
const retryMs = 1000;

/** @param state Returns the present state. */
export function createEventStream(state: () => unknown): EventStream {
  const responses = new Set<ServerResponse>();
  const event = () => `data: ${JSON.stringify(state())}\n\n`;
  return {
    add: (response) => {
      if (responses.size >= maxStreams)
        throw new HttpError(503, `${maxStreams} pages are open: close one of them`);
      responses.add(response);
      response.once('close', () => responses.delete(response));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`retry: ${retryMs}\n\n${event()}`);
    },
    send: () => {
      if (responses.size === 0) return;
      const text = event();
      for (const response of responses)
        if (response.writableLength > maxWaitingBytes) response.destroy();
        else response.write(text);
    },
    get size() {
      return responses.size;
    },
    [Symbol.dispose]: () => {
      for (const response of responses) response.end();
    },
  };
}
