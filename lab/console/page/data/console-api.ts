import { signal } from '@preact/signals';
import type { Problem } from '../../api.ts';
import { consoleKey } from './key.ts';

/** Whether the console has answered that this page has no key, or a wrong one. */
export const isLocked = signal(false);

/**
 * Returns the answer of the console's server to a GET.
 *
 * @throws Error with the server's message, or one that says that the server does not answer.
 */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await answerOf(path, { ...(signal && { signal }) })).json();
}

/** Sends a POST to the console's server. @throws As `getJson`. */
export async function postJson(path: string, body: object): Promise<void> {
  await answerOf(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/**
 * Calls `onValue` for each event of a stream of the console's server (text/event-stream), until the stream ends.
 *
 * @throws As `getJson`, and the signal's reason.
 */
export async function readEvents<T>(
  path: string,
  signal: AbortSignal,
  onValue: (value: T) => void,
): Promise<void> {
  const { body } = await answerOf(path, { signal });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    const events = (text + read.value).split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) onValue(JSON.parse(event.slice(6)));
  }
}

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  const headers = { ...init.headers, authorization: `Bearer ${consoleKey()}` };
  const response = await fetch(path, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new Error('the console does not answer');
  });
  isLocked.value = response.status === 401;
  if (response.ok) return response;
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  throw new Error(problem?.message ?? `the console answers ${response.status}`);
}
