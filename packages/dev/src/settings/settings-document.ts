import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readProbeConfig } from '@acme/rpc/client';
import { readTelemetryConfig } from '@acme/rpc/telemetry';
import { root } from '../repository/paths.ts';
import { type Reader, type RecordedSetting, recordSettings } from './recorded-settings.ts';

export const settingsFile = 'docs/settings.md';

const introduction = `# Settings

Every environment variable that a service or its health probe reads, as the code declares it. \`npm run generate\` writes
this page from each service's \`config.ts\` and from the readers of telemetry and of the health probe.

A service reads its variables before it listens. If any are missing or invalid, it does not start. One error lists each
of them with the expected value, and does not repeat the value that was set.

Telemetry runs in every service. OpenTelemetry's SDK reads [further variables](telemetry.md) itself. The health probe
runs in a service's container, with the service's environment.
`;

/** Returns the text of docs/settings.md. */
export async function settingsDocument(): Promise<string> {
  const services = await serviceReaders();
  const shared: [string, Reader][] = [
    ['telemetry', readTelemetryConfig],
    ['health probe', readProbeConfig],
  ];
  return `${introduction}\n${settingsTable(new Map([...services, ...shared]))}`;
}

/** Returns the reader of each service, by the service's name. */
async function serviceReaders(): Promise<Map<string, Reader>> {
  const files = globSync('services/*/src/config.ts', { cwd: root }).sort();
  const readers = files.map(async (file): Promise<[string, Reader]> => {
    const { readConfig } = await import(pathToFileURL(join(root, file)).href);
    return [basename(dirname(dirname(file))), readConfig];
  });
  return new Map(await Promise.all(readers));
}

/** Returns a Markdown table with a row for each variable, and further rows where readers declare it differently. */
export function settingsTable(readers: ReadonlyMap<string, Reader>): string {
  const recorded = [...readers].flatMap(([reader, read]) =>
    recordSettings(read).map((setting) => ({ reader, setting })),
  );
  const names = new Set(recorded.map(({ setting }) => setting.name));
  const rows = [...names].flatMap((name) => {
    const readersByRow = new Map<string, string[]>();
    for (const { reader, setting } of recorded)
      if (setting.name === name)
        readersByRow.set(rowOf(setting), [...(readersByRow.get(rowOf(setting)) ?? []), reader]);
    return [...readersByRow].map(([row, readBy]) => `${row} ${readBy.join(', ')} |\n`);
  });
  return `| variable | value | default | meaning | read by |\n|---|---|---|---|---|\n${rows.join('')}`;
}

function rowOf(setting: RecordedSetting): string {
  const value = setting.choices?.map((choice) => `\`${choice}\``).join(', ') ?? setting.format;
  const cells = [`\`${setting.name}\``, value, defaultOf(setting), setting.meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function defaultOf({ isRequired, exceptions, default: fallback }: RecordedSetting): string {
  if (fallback !== undefined) return `\`${fallback}\``;
  const listed = exceptions.map((each) => `\`${each}\``).join(' or ');
  if (isRequired) return listed ? `required, except with ${listed}` : 'required';
  return listed ? `required with ${listed}` : 'none';
}
