import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runCommand } from '../../cli/run-command.ts';
import { checkBreaking } from './check-breaking.ts';
import { openContract } from './contract-images.ts';
import { type ContractCopy, copyContract } from './testing/contract-copy.ts';

vi.setConfig({ testTimeout: 60_000 });

const catalogue = 'proto/shop/v1/catalogue_service.proto';

/** Makes a repository whose only commit has the tests' contract, with the changes of `prepare`. */
function commitContract(prepare = (_contract: ContractCopy) => {}): ContractCopy {
  const contract = copyContract();
  prepare(contract);
  const git = (...args: string[]) => runCommand(contract.folder, 'git', ...args);
  git('init', '--quiet');
  git('add', '.');
  git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', 'Begin');
  return contract;
}

function replace(contract: ContractCopy, file: string, text: string, replacement: string): void {
  const path = join(contract.folder, file);
  const before = readFileSync(path, 'utf8');
  expect(before).toContain(text);
  writeFileSync(path, before.replace(text, replacement));
}

/** Compares the files of the repository with its commit. */
function check({ folder }: ContractCopy): void {
  using contract = openContract(folder, () => 'HEAD');
  const before = contract.earlier();
  if (!before) throw new Error('the commit has no contract');
  checkBreaking({ before, after: contract.present() });
}

test("a renamed field is reported, of the application's module and of the kit's", () => {
  using contract = commitContract();
  check(contract);
  replace(contract, 'proto/shop/v1/order.proto', 'string customer_id = 2', 'string client_id = 2');
  replace(contract, 'packages/rpc/proto/policy/v1/policy.proto', 'int32 burst = 2', 'int32 calls = 2');
  const testing = 'packages/rpc/src/testing/proto/testing/v1';
  for (const file of [`${testing}/echo_service.proto`, `${testing}/notice_service.proto`, catalogue])
    replace(contract, file, 'burst:', 'calls:');
  expect(() => check(contract)).toThrow(/^proto\/shop\/v1\/order\.proto:13:.*changed name/m);
  expect(() => check(contract)).toThrow(
    /^packages\/rpc\/proto\/policy\/v1\/policy\.proto:\d+:.*changed name/m,
  );
});

/** Adds a module with a message, and its entry in buf.yaml. */
function addOwnModule(contract: ContractCopy): void {
  mkdirSync(join(contract.folder, 'more/shop/v1'), { recursive: true });
  writeFileSync(
    join(contract.folder, 'more/shop/v1/invoice.proto'),
    'syntax = "proto3";\n\npackage shop.v1;\n\nmessage Invoice {\n  string id = 1;\n}\n',
  );
  replace(contract, 'buf.yaml', '  - path: proto\n', '  - path: more\n  - path: proto\n');
}

/** Adds a module of another author, and its entries in buf.yaml. */
function addForeignModule(contract: ContractCopy): void {
  mkdirSync(join(contract.folder, 'other/other/v1'), { recursive: true });
  writeFileSync(
    join(contract.folder, 'other/other/v1/other.proto'),
    'syntax = "proto3";\n\npackage other.v1;\n\nmessage Other {\n  string name = 1;\n}\n',
  );
  replace(contract, 'buf.yaml', '  - path: proto\n', '  - path: proto\n  - path: other\n');
  replace(contract, 'buf.yaml', '/proto/grpc\n', '/proto/grpc\n    - other\n');
}

test('a contract of another author may change, and be removed', () => {
  using contract = commitContract(addForeignModule);
  replace(
    contract,
    'packages/rpc/proto/google/rpc/error_details.proto',
    'string reason = 1',
    'string why = 1',
  );
  check(contract);
  rmSync(join(contract.folder, 'other'), { recursive: true });
  replace(contract, 'buf.yaml', '  - path: other\n', '');
  replace(contract, 'buf.yaml', '    - other\n', '');
  check(contract);
});

test('a file may move to another module, and a module may be added', () => {
  using contract = commitContract();
  replace(contract, 'buf.yaml', '  - path: proto\n', '  - path: proto\n  - path: more\n');
  mkdirSync(join(contract.folder, 'more/shop/v1'), { recursive: true });
  renameSync(
    join(contract.folder, 'proto/shop/v1/order.proto'),
    join(contract.folder, 'more/shop/v1/order.proto'),
  );
  check(contract);
});

test('buf.yaml excuses a rule for a file', () => {
  using contract = commitContract();
  replace(contract, 'proto/shop/v1/order.proto', 'string customer_id = 2', 'string client_id = 2');
  const excuse = (rule: string) => `    ${rule}:\n      - proto/shop/v1/order.proto\n`;
  const excused = `  ignore_only:\n${excuse('FIELD_SAME_NAME')}${excuse('FIELD_SAME_JSON_NAME')}`;
  appendFileSync(join(contract.folder, 'buf.yaml'), excused);
  check(contract);
  replace(contract, 'proto/shop/v1/order.proto', 'string title = 1', 'int64 title = 1');
  expect(() => check(contract)).toThrow(/^proto\/shop\/v1\/order\.proto:41:.*changed type/m);
});

/** Gives the module `proto` rules of its own. */
function setModuleRules(contract: ContractCopy): void {
  replace(contract, 'buf.yaml', '  - path: proto\n', '  - path: proto\n    breaking:\n      use: [WIRE]\n');
}

test('a module may be added beside one with its own rules, and is reported when it is removed', () => {
  using contract = commitContract(setModuleRules);
  addOwnModule(contract);
  check(contract);
  replace(contract, 'proto/shop/v1/order.proto', 'string title = 1', 'int64 title = 1');
  expect(() => check(contract)).toThrow(/^proto\/shop\/v1\/order\.proto:\d+:.*changed type/m);

  using later = commitContract((each) => {
    setModuleRules(each);
    addOwnModule(each);
  });
  rmSync(join(later.folder, 'more'), { recursive: true });
  replace(later, 'buf.yaml', '  - path: more\n', '');
  expect(() => check(later)).toThrow(/^buf\.yaml no longer has the module more,/);
});

test('a module of another author may be removed beside one with its own rules', () => {
  using contract = commitContract((each) => {
    setModuleRules(each);
    addForeignModule(each);
  });
  rmSync(join(contract.folder, 'other'), { recursive: true });
  replace(contract, 'buf.yaml', '  - path: other\n', '');
  replace(contract, 'buf.yaml', '    - other\n', '');
  check(contract);
});

test('rules of a module apply to its folder', () => {
  using contract = commitContract();
  setModuleRules(contract);
  replace(contract, 'proto/shop/v1/order.proto', 'string customer_id = 2', 'string client_id = 2');
  check(contract);
  replace(contract, 'proto/shop/v1/order.proto', 'string title = 1', 'int64 title = 1');
  expect(() => check(contract)).toThrow(/proto\/shop\/v1\/order\.proto:\d+:.*changed type/);
});
