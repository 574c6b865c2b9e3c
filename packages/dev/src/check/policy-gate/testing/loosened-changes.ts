import { type ContractChange, type Edit, edit } from '../../contract/testing/contract-copy.ts';

const file = 'shop/v1/catalogue_service.proto';
const rule = '(buf.validate.field)';

function looser(name: string, replace: string, replacement: string, ...edits: Edit[]): ContractChange {
  return { name, edits: [edit(file, replace, replacement), ...edits] };
}

const newMethod = `  // DropItem removes an item.
  rpc DropItem(DropItemRequest) returns (DropItemResponse) {
    option (policy.v1.method) = {
      deadline: {nanos: 1000000}
      scopes: ["catalogue:admin"]
    };
  }

  // CountItems returns`;

const newMessages = `// DropItemRequest names an item.
message DropItemRequest {
  // SKU.
  string sku = 1 [${rule}.required = true];
}

// DropItemResponse is empty.
message DropItemResponse {}

// AddItemRequest is`;

/** Changes after which every caller of the earlier contract is served as before. */
export const loosenedChanges: readonly ContractChange[] = [
  looser('deadline longer', 'deadline: {seconds: 2}', 'deadline: {seconds: 3}'),
  looser('max_deadline longer', 'max_deadline: {seconds: 20}', 'max_deadline: {seconds: 30}'),
  looser(
    'max_deadline stated as it was by default',
    'deadline: {seconds: 1}',
    'deadline: {seconds: 1}\n max_deadline: {seconds: 5}',
  ),
  looser('scope removed, method anonymous', 'scopes: ["catalogue:write"]', 'anonymous: true'),
  looser('quota higher', 'calls_per_second: 10', 'calls_per_second: 11'),
  looser('burst larger', 'burst: 100', 'burst: 101'),
  looser(
    'quota removed',
    '      quota: {\n        calls_per_second: 10\n        burst: 100\n        exempt_scope: "catalogue:write:any"\n      }\n',
    '',
  ),
  looser(
    'idempotency level stronger',
    'idempotency_level = IDEMPOTENT',
    'idempotency_level = NO_SIDE_EFFECTS',
  ),
  looser(
    'error reason added, and in another order',
    '      errors: [\n',
    '      errors: [\n{reason: "CATALOGUE_CLOSED", code: "FAILED_PRECONDITION"},\n',
  ),
  looser('max_len longer', 'max_len = 64', 'max_len = 65'),
  looser('max_len removed', `    ${rule}.string.max_len = 64,\n`, ''),
  looser('min_len of 0 in place of 1', 'string.min_len = 1,', 'string.min_len = 0,'),
  looser('min_len of 0 added', 'string title = 2;', `string title = 2 [${rule}.string.min_len = 0];`),
  looser('pattern removed', `max_len = 64,\n    ${rule}.string.pattern = "^[A-Z0-9-]+$"`, 'max_len = 64'),
  looser('a range in place of one length', 'string.len = 4', 'string = {min_len: 4 max_len: 5}'),
  looser('gte lower', 'int64.gte = 0', 'int64.gte = -1'),
  looser('over -1 in place of at least 0', 'int64.gte = 0', 'int64.gt = -1'),
  looser('at most 999,999 in place of under 1,000,000', 'int64.lt = 1000000', 'int64.lte = 999999'),
  looser(
    'at least 0 of an unsigned number',
    'uint32 pieces = 16;',
    `uint32 pieces = 16 [${rule}.uint32.gte = 0];`,
  ),
  looser('over -0.5 in place of at least 0', 'double.gte = 0', 'double.gt = -0.5'),
  looser('rule of bytes removed', ` [${rule}.bytes.max_len = 1000000]`, ''),
  looser('max_items higher', 'max_items = 20', 'max_items = 21'),
  looser('unique stated as false', 'max_items = 20,', `max_items = 20, ${rule}.repeated.unique = false,`),
  looser('rule of items longer', 'items.string.max_len = 32', 'items.string.max_len = 33'),
  looser('max_pairs higher', 'max_pairs = 50', 'max_pairs = 51'),
  looser('rule of keys longer', 'keys.string.max_len = 8', 'keys.string.max_len = 9'),
  looser('value added to a list', '"blue"\n', '"blue",\n "pink"\n'),
  looser('list in another order', '"red",\n      "green"', '"green",\n "red"'),
  looser('any address in place of an IP address', 'string.ip = true', 'string.address = true'),
  looser('duration longer', 'lte = {seconds: 864000}', 'lte = {seconds: 864001}'),
  looser(
    'excluded value permitted',
    `[${rule}.enum = {\n    not_in: [0]\n  }]`,
    `[${rule}.enum.defined_only = false]`,
  ),
  looser('rules ignored', 'IGNORE_IF_ZERO_VALUE', 'IGNORE_ALWAYS'),
  looser(
    'rules tighter, and ignored',
    `string.len = 4,\n    ${rule}.ignore = IGNORE_IF_ZERO_VALUE`,
    `string.len = 1,\n ${rule}.ignore = IGNORE_ALWAYS`,
  ),
  looser('message of a CEL rule changed', 'message: "no tabs"', 'message: "without tabs"'),
  looser('field removed from a oneof rule', '      "importer",\n', ''),
  looser('example added', 'string title = 2;', `string title = 2 [${rule}.string.example = "A"];`),
  looser(
    'method and messages added, with rules',
    '  // CountItems returns',
    newMethod,
    edit(file, '// AddItemRequest is', newMessages),
  ),
  looser(
    'field added, whose rules accept its absence',
    '  // Note.\n',
    `  // Brand.\n string brand = 21 [${rule}.string.max_len = 9];\n\n  // Note.\n`,
  ),
  looser(
    'field added, whose rules ignore its absence',
    '  // Note.\n',
    `  // Brand.\n string brand = 21 [${rule}.string.min_len = 1, ${rule}.ignore = IGNORE_IF_ZERO_VALUE];\n\n  // Note.\n`,
  ),
  looser(
    'rules of items written as one option',
    'items.string.max_len = 32',
    'items = {string: {max_len: 32}}',
  ),
  looser('field renamed: for buf breaking', 'string title = 2', 'string name = 2'),
];
