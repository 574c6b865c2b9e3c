import type { Live } from '../api.ts';
import { consoleFetch } from './console-fetch.ts';

/** Returns the present state of the console at `url`, as it sends it to the page. */
export async function readLive(url: string): Promise<Live> {
  const aborting = new AbortController();
  const response = await consoleFetch(url, '/api/live', { signal: aborting.signal });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const [, data] = /data: (.*)\n\n/.exec(text) ?? [];
    if (data === undefined) continue;
    aborting.abort();
    return JSON.parse(data);
  }
  throw new Error('the stream of the console ended');
}
