import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '@acme/dev/cli';

/** An edit of a file: a text that it has, and its replacement. */
type Edit = readonly [file: string, text: string, replacement: string];

/** Edits that a developer makes, and the files in which the compiler then asks for the field. */
interface Stage {
  readonly edits: readonly Edit[];
  readonly files: readonly string[];
}

/** The way of a field `note` through payments, from the contract to the columns of its events. */
const stages: readonly Stage[] = [
  {
    edits: [
      ['proto/payments/v1/payment.proto', '  string title = 3;', '  string title = 3;\n  string note = 8;'],
      [
        'proto/payments/v1/payment_service.proto',
        '  string title = 2 [',
        '  string note = 3;\n  string title = 2 [',
      ],
    ],
    files: ['payment-proto.ts', 'payment-service.ts'],
  },
  {
    edits: [
      [
        'services/payments/src/payment-proto.ts',
        '    title,\n    state',
        '    title,\n    note: payment.note,\n    state',
      ],
      ['services/payments/src/payment-service.ts', '({ requestId, title }', '({ requestId, title, note }'],
      ['services/payments/src/payment-service.ts', 'toLowerCase(), title }', 'toLowerCase(), title, note }'],
    ],
    files: ['payment-proto.ts', 'payment-service.ts'],
  },
  {
    edits: [
      ['services/payments/src/payment.ts', 'title: string;', 'title: string;\n  readonly note: string;'],
      ['services/payments/src/payment.ts', "'title'>", "'title' | 'note'>"],
    ],
    files: ['payment-row.ts', 'payment-store.ts', 'payment-store.test.ts', 'testing/start-test-payments.ts'],
  },
  {
    edits: [
      ['services/payments/src/payment-row.ts', 'row.title,', 'row.title,\n    note: row.note,'],
      ['services/payments/src/payment-row.ts', 'title: string;', 'title: string;\n  note: string;'],
    ],
    files: ['payment-row.ts', 'payment-feed.ts'],
  },
];

/** Adds a field to the payments of a copy. Throws an Error for a place to which the compiler does not lead. */
export async function addField(folder: string): Promise<void> {
  for (const { edits, files } of stages) {
    for (const [file, text, replacement] of edits) {
      const path = join(folder, file);
      const before = await readFile(path, 'utf8');
      if (!before.includes(text)) throw new Error(`${file} has no ${text}`);
      await writeFile(path, before.replace(text, replacement));
    }
    runCommand(folder, 'buf', 'generate');
    const { stdout } = spawnSync('tsc', ['--noEmit', '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
    const missed = files.filter((file) => !stdout.includes(`services/payments/src/${file}(`));
    if (missed.length > 0) throw new Error(`no error in ${missed.join(', ')}:\n${stdout}`);
  }
}
