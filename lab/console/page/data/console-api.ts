import type { Problem } from '../../api.ts';

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

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new Error('the console does not answer');
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  throw new Error(problem?.message ?? `the console answers ${response.status}`);
}
