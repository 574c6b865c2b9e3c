/**
 * Sends a request to the API of a console, as a program of its user does.
 *
 * @param url The printed URL, with the key.
 */
export function consoleFetch(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  const { hash, origin } = new URL(url);
  const authorization = `Bearer ${new URLSearchParams(hash.slice(1)).get('key')}`;
  return fetch(`${origin}${path}`, { ...init, headers: { ...init.headers, authorization } });
}
