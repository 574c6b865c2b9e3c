import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';

/** Description of this machine, for reports. */
export const machine = `Node ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}`;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

export interface ReportOptions {
  /** Description of the measurement. */
  readonly how: string;
  readonly jsonFile: string | undefined;
}

/** Prints the figures with a description of the machine, and writes them to the JSON file as one flat object. */
export async function writeReport(
  figures: Readonly<Record<string, number>>,
  { how, jsonFile }: ReportOptions,
): Promise<void> {
  const rounded = Object.fromEntries(
    Object.entries(figures)
      .filter(([, value]) => Number.isFinite(value))
      .map(([name, value]) => [name, Number(value.toPrecision(4))]),
  );
  const width = Math.max(...Object.keys(rounded).map((name) => name.length));
  const lines = Object.entries(rounded).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  process.stdout.write(`${machine}; ${how}\n${lines.join('\n')}\n`);
  if (jsonFile) await writeFile(jsonFile, `${JSON.stringify(rounded, undefined, 2)}\n`);
}
