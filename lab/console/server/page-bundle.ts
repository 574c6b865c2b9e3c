import type { PageFile } from './http/console-server.ts';

const placeholder =
  '<!doctype html><meta charset="utf-8"><title>Saturday</title><p>The page is being built.</p>\n';

/** Returns a file of the page by its path; undefined if there is none. */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  return path === '/' ? { contentType: 'text/html; charset=utf-8', body: placeholder } : undefined;
}
