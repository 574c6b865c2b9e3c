import type { ServerResponse } from 'node:http';
import { HttpError } from './http-error.ts';

/** Pages that receive server-sent events. */
export interface EventStream extends Disposable {
  /**
   * Begins the stream of a page with the last event.
   *
   * @throws HttpError 503 beyond 20 pages.
   */
  add(response: ServerResponse): void;
  /** Sends an event to all pages. One that reads too slowly is disconnected, and its browser connects again. */
  send(event: unknown): void;
  readonly size: number;
}

const maxStreams = 20;
/** Bytes that may wait for a page. An event replaces those before it, so that old ones have no value. */
const maxWaitingBytes = 256 * 1024;
/** Pause of the browser before it connects again. */
const retryMs = 1000;

export function createEventStream(): EventStream {
  const responses = new Set<ServerResponse>();
  let last: string | undefined;
  return {
    add: (response) => {
      if (responses.size >= maxStreams)
        throw new HttpError(503, `${maxStreams} pages are open: close one of them`);
      responses.add(response);
      response.once('close', () => responses.delete(response));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`retry: ${retryMs}\n\n`);
      if (last !== undefined) response.write(last);
    },
    send: (event) => {
      last = `data: ${JSON.stringify(event)}\n\n`;
      for (const response of responses)
        if (response.writableLength > maxWaitingBytes) response.destroy();
        else response.write(last);
    },
    get size() {
      return responses.size;
    },
    [Symbol.dispose]: () => {
      for (const response of responses) response.end();
    },
  };
}
