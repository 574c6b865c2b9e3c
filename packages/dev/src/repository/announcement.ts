import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../cli/write-atomically.ts';

/** The targets of running services, and the TLS files to call them with: `running.json` of a data folder. */
export interface Announcement {
  /** Targets in gRPC's naming, by service name. */
  readonly targets: Readonly<Record<string, string>>;
  /** Files of the data folder for mutual TLS. Default: plain text. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string } | undefined;
}

/** Writes the targets of the services of this data folder, for other commands. */
export async function announceServices(dataFolder: string, { targets, tls }: Announcement): Promise<void> {
  await writeAtomically(announcementFile(dataFolder), JSON.stringify({ targets, tls }), 0o644);
}

/** Returns what `announceServices` wrote, or undefined if there is none. */
export async function readAnnouncement(dataFolder: string): Promise<Partial<Announcement> | undefined> {
  return readFile(announcementFile(dataFolder), 'utf8').then(JSON.parse, () => undefined);
}

/** Removes what `announceServices` wrote. */
export async function withdrawServices(dataFolder: string): Promise<void> {
  await rm(announcementFile(dataFolder), { force: true });
}

function announcementFile(dataFolder: string): string {
  return join(dataFolder, 'running.json');
}
