import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runCommand } from '../../cli/run-command.ts';
import { checkGeneratedCode } from './check-generated-code.ts';
import { copyContract, edit } from './testing/contract-copy.ts';

vi.setConfig({ testTimeout: 60_000 });

const order = 'shop/v1/order.proto';

test('a contract that was changed without generating is reported', () => {
  using contract = copyContract();
  runCommand(contract.folder, 'buf', 'generate');
  contract.apply([edit(order, 'string reject_reason = 6', 'string reason = 6')]);
  expect(checkGeneratedCode(contract.folder)).toBe(
    'not generated from the present contract: gen/src/shop/v1/order_pb.ts: npm run generate',
  );
});

test('an edit of generated code is reported', () => {
  using contract = copyContract();
  runCommand(contract.folder, 'buf', 'generate');
  expect(checkGeneratedCode(contract.folder)).toBeUndefined();
  const file = join(contract.folder, 'gen/src/shop/v1/order_pb.ts');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport const mine = 1;\n`);
  expect(checkGeneratedCode(contract.folder)).toContain('gen/src/shop/v1/order_pb.ts');
});
