import { rename, writeFile } from 'node:fs/promises';

/** Writes a file by way of a temporary file beside it, so that a reader sees the old text or the new one. */
export async function writeAtomically(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}
