import { open, stat } from 'node:fs/promises';

/** The part of a replica's log (stdout and stderr) written since the watch began. */
export interface LogWatch {
  sizeBytes(): Promise<number>;
  contains(text: string): Promise<boolean>;
}

export async function watchLog(file: string): Promise<LogWatch> {
  const { size: start } = await stat(file);
  return {
    sizeBytes: async () => (await stat(file)).size - start,
    contains: async (text) => {
      await using handle = await open(file);
      let tail = '';
      for await (const chunk of handle.createReadStream({ start, encoding: 'utf8' })) {
        const seen: string = tail + chunk;
        if (seen.includes(text)) return true;
        tail = seen.slice(-text.length);
      }
      return false;
    },
  };
}
