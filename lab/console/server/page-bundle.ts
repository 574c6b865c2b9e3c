import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { PageFile } from './http/console-server.ts';

const folder = new URL('../page/', import.meta.url);
/** In the order in which they override each other. */
const styles = [
  ...['tokens', 'base', 'controls', 'frame'],
  ...['overview', 'orders', 'stock', 'trouble', 'order', 'signals', 'waterfall', 'traces'],
];

let bundle: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** Returns a file of the page by its path; undefined if there is none. Bundles the page on the first call, in memory. */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  bundle ??= bundlePage().catch((error: unknown) => {
    // A file of the page may be half saved: the next call bundles again.
    bundle = undefined;
    throw error;
  });
  return (await bundle).get(path);
}

async function bundlePage(): Promise<ReadonlyMap<string, PageFile>> {
  const [document, script, style, icon, font] = await Promise.all([
    readFile(new URL('index.html', folder)),
    bundleScript(),
    joinStyles(),
    readFile(new URL('icon.svg', folder)),
    readFile(new URL(import.meta.resolve('@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'))),
  ]);
  return new Map([
    ['/', { contentType: 'text/html; charset=utf-8', body: document }],
    ['/page.js', { contentType: 'text/javascript; charset=utf-8', body: script }],
    ['/page.css', { contentType: 'text/css; charset=utf-8', body: style }],
    ['/icon.svg', { contentType: 'image/svg+xml', body: icon }],
    ['/inter.woff2', { contentType: 'font/woff2', body: font }],
  ]);
}

/** The page's tsconfig.json says how JSX is compiled. */
async function bundleScript(): Promise<string> {
  const build = await rolldown({
    input: fileURLToPath(new URL('main.tsx', folder)),
    platform: 'browser',
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return output[0].code;
}

async function joinStyles(): Promise<string> {
  const files = [
    new URL(import.meta.resolve('uplot/dist/uPlot.min.css')),
    ...styles.map((name) => new URL(`style/${name}.css`, folder)),
  ];
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
}
