import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '@acme/dev/cli';
import { applyEdit, type Edit } from '../harness/apply-edit.ts';

/** Edits that a developer makes, and the files in which the compiler then asks for the field. */
interface Stage {
  readonly edits: readonly Edit[];
  readonly files: readonly string[];
}

/** The way of a field `note` through payments, from the contract to the columns of its events. */
const stages: readonly Stage[] = [
  {
    edits: [
      {
        file: 'proto/payments/v1/payment.proto',
        replace: 'string title = 3;',
        with: 'string title = 3;\n  string note = 8;',
      },
      {
        file: 'proto/payments/v1/payment_service.proto',
        replace: 'string title = 2 [',
        with: 'string note = 3;\n  string title = 2 [',
      },
    ],
    files: ['payment-proto.ts', 'payment-service.ts'],
  },
  {
    edits: [
      {
        file: 'services/payments/src/payment-proto.ts',
        replace: 'title,\n    state',
        with: 'title,\n    note: payment.note,\n    state',
      },
      {
        file: 'services/payments/src/payment-service.ts',
        replace: '({ requestId, title }',
        with: '({ requestId, title, note }',
      },
      {
        file: 'services/payments/src/payment-service.ts',
        replace: 'toLowerCase(), title }',
        with: 'toLowerCase(), title, note }',
      },
    ],
    files: ['payment-proto.ts', 'payment-service.ts'],
  },
  {
    edits: [
      {
        file: 'services/payments/src/payment.ts',
        replace: 'title: string;',
        with: 'title: string;\n  readonly note: string;',
      },
      { file: 'services/payments/src/payment.ts', replace: "'title'>", with: "'title' | 'note'>" },
    ],
    files: ['payment-row.ts', 'payment-store.ts', 'payment-store.test.ts', 'testing/start-test-payments.ts'],
  },
  {
    edits: [
      {
        file: 'services/payments/src/payment-row.ts',
        replace: 'row.title,',
        with: 'row.title,\n    note: row.note,',
      },
      {
        file: 'services/payments/src/payment-row.ts',
        replace: 'title: string;',
        with: 'title: string;\n  note: string;',
      },
    ],
    files: ['payment-row.ts', 'payment-feed.ts'],
  },
];

/** Adds a field to the payments of a copy. Throws an Error for a place to which the compiler does not lead. */
export async function addField(folder: string): Promise<void> {
  for (const { edits, files } of stages) {
    for (const edit of edits) {
      const path = join(folder, edit.file);
      await writeFile(path, applyEdit(await readFile(path, 'utf8'), edit));
    }
    runCommand(folder, 'buf', 'generate');
    const { stdout } = spawnSync('tsc', ['--noEmit', '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
    const missed = files.filter((file) => !stdout.includes(`services/payments/src/${file}(`));
    if (missed.length > 0) throw new Error(`no error in ${missed.join(', ')}:\n${stdout}`);
  }
}
