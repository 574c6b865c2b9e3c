import { type Edit, edit } from '../../contract/testing/contract-copy.ts';

const file = 'shop/v1/catalogue_service.proto';
const addItem = 'shop.v1.CatalogueService/AddItem';
const countItems = 'shop.v1.CatalogueService/CountItems';
const request = 'shop.v1.AddItemRequest';

/** A change that the check must report as this one line. */
export interface TightenedChange {
  readonly change: string;
  readonly edits: readonly Edit[];
}

function tighter(change: string, replace: string, replacement: string): TightenedChange {
  return { change, edits: [edit(file, replace, replacement)] };
}

/** Replaces the rules of a field without rules. */
function added(field: string, rules: string, change: string): TightenedChange {
  return tighter(`${request}.${change}`, `${field};`, `${field} [${rules}];`);
}

const rule = '(buf.validate.field)';

/** Changes after which a caller of the earlier contract may be rejected. */
export const tightenedChanges: readonly TightenedChange[] = [
  tighter(`${addItem}: deadline 2 s -> 200 ms`, 'deadline: {seconds: 2}', 'deadline: {nanos: 200000000}'),
  tighter(
    `${addItem}: max_deadline 20 s -> 5 s`,
    'max_deadline: {seconds: 20}',
    'max_deadline: {seconds: 5}',
  ),
  tighter(`${addItem}: max_deadline 20 s -> 10 s`, '      max_deadline: {seconds: 20}\n', ''),
  tighter(
    `${addItem}: scopes [catalogue:write] -> [catalogue:write, catalogue:admin]`,
    'scopes: ["catalogue:write"]',
    'scopes: [\n"catalogue:write",\n"catalogue:admin"]',
  ),
  tighter(
    `${addItem}: scopes [catalogue:write] -> [catalogue:admin]`,
    'scopes: ["catalogue:write"]',
    'scopes: ["catalogue:admin"]',
  ),
  tighter(
    `${countItems}: scopes anonymous -> [catalogue:read]`,
    'anonymous: true',
    'scopes: ["catalogue:read"]',
  ),
  tighter(`${addItem}: quota.calls_per_second 10 -> 5`, 'calls_per_second: 10', 'calls_per_second: 5'),
  tighter(`${addItem}: quota.burst 100 -> 99`, 'burst: 100', 'burst: 99'),
  tighter(`${addItem}: quota.burst 100 -> 10`, '        burst: 100\n', ''),
  tighter(
    `${addItem}: quota.exempt_scope catalogue:write:any -> none`,
    '        exempt_scope: "catalogue:write:any"\n',
    '',
  ),
  tighter(
    `${addItem}: errors CATALOGUE_FULL FAILED_PRECONDITION -> none`,
    `,
        {
          reason: "CATALOGUE_FULL"
          code: "FAILED_PRECONDITION"
        }`,
    '',
  ),
  tighter(
    `${addItem}: errors CATALOGUE_FULL FAILED_PRECONDITION -> RESOURCE_EXHAUSTED`,
    'code: "FAILED_PRECONDITION"',
    'code: "RESOURCE_EXHAUSTED"',
  ),
  tighter(
    `${addItem}: errors SKU_TAKEN ALREADY_EXISTS google.rpc.ResourceInfo -> ALREADY_EXISTS`,
    '          details: ["google.rpc.ResourceInfo"]\n',
    '',
  ),
  tighter(
    `${countItems}: quota none -> 3/s, burst 3`,
    'anonymous: true',
    'anonymous: true\n quota: {calls_per_second: 3}',
  ),
  tighter(
    `${addItem}: idempotency_level IDEMPOTENT -> IDEMPOTENCY_UNKNOWN`,
    'option idempotency_level = IDEMPOTENT;',
    '',
  ),
  tighter(
    `${countItems}: idempotency_level NO_SIDE_EFFECTS -> IDEMPOTENT`,
    'idempotency_level = NO_SIDE_EFFECTS',
    'idempotency_level = IDEMPOTENT',
  ),
  tighter(`${request}.sku: string.max_len 64 -> 32`, 'max_len = 64', 'max_len = 32'),
  tighter(`${request}.sku: string.min_len 1 -> 3`, 'min_len = 1,', 'min_len = 3,'),
  tighter(`${request}.sku: string.len min_len 1, max_len 64 -> 8`, 'string.min_len = 1,', 'string.len = 8,'),
  tighter(`${request}.sku: string.pattern "^[A-Z0-9-]+$" -> "^[A-Z]+$"`, '^[A-Z0-9-]+$', '^[A-Z]+$'),
  added('string title = 2', `${rule}.string.max_len = 99`, 'title: string.max_len none -> 99'),
  added('string title = 2', `${rule}.string.max_bytes = 99`, 'title: string.max_bytes none -> 99'),
  added('string title = 2', `${rule}.required = true`, 'title: required none -> true'),
  added('string title = 2', `${rule}.string.prefix = "A"`, 'title: string.prefix none -> "A"'),
  added('string title = 2', `${rule}.string.suffix = "A"`, 'title: string.suffix none -> "A"'),
  added('string title = 2', `${rule}.string.contains = "A"`, 'title: string.contains none -> "A"'),
  added('string title = 2', `${rule}.string.not_contains = "A"`, 'title: string.not_contains none -> "A"'),
  added('string title = 2', `${rule}.string.const = "A"`, 'title: string.const none -> "A"'),
  added('string title = 2', `${rule}.string.in = "A"`, 'title: string.in none -> ["A"]'),
  added('string title = 2', `${rule}.string.not_in = "A"`, 'title: string.not_in none -> ["A"]'),
  added('string title = 2', `${rule}.string.uuid = true`, 'title: string.uuid none -> true'),
  added('string title = 2', `${rule}.string.email = true`, 'title: string.email none -> true'),
  added(
    'string title = 2',
    `${rule}.string.well_known_regex = KNOWN_REGEX_HTTP_HEADER_NAME`,
    'title: string.well_known_regex none -> KNOWN_REGEX_HTTP_HEADER_NAME',
  ),
  added(
    'string title = 2',
    `${rule}.cel_expression = "this != 'A'"`,
    `title: cel_expression this != 'A' none -> "this != 'A'"`,
  ),
  tighter(`${request}.price_cents: int64.gte 0 -> 1`, 'int64.gte = 0', 'int64.gte = 1'),
  tighter(`${request}.price_cents: int64.gt gte 0 -> 0`, 'int64.gte = 0', 'int64.gt = 0'),
  tighter(`${request}.price_cents: int64.lt 1000000 -> 999999`, 'int64.lt = 1000000', 'int64.lt = 999999'),
  tighter(`${request}.price_cents: int64.lte lt 1000000 -> 100`, 'int64.lt = 1000000', 'int64.lte = 100'),
  tighter(`${request}.weight_kg: double.gt gte 0 -> 0`, 'double.gte = 0', 'double.gt = 0'),
  tighter(
    `${request}.weight_kg: double.finite none -> true`,
    'double.gte = 0]',
    'double = {gte: 0 finite: true}]',
  ),
  tighter(`${request}.photo: bytes.max_len 1000000 -> 999`, 'bytes.max_len = 1000000', 'bytes.max_len = 999'),
  tighter(
    `${request}.photo: bytes.prefix none -> "PNG"`,
    'bytes.max_len = 1000000',
    'bytes = {max_len: 1000000 prefix: "PNG"}',
  ),
  tighter(`${request}.tags: repeated.max_items 20 -> 10`, 'max_items = 20', 'max_items = 10'),
  tighter(
    `${request}.tags: repeated.min_items none -> 1`,
    'max_items = 20,',
    `max_items = 20, ${rule}.repeated.min_items = 1,`,
  ),
  tighter(
    `${request}.tags: repeated.unique none -> true`,
    'max_items = 20,',
    `max_items = 20, ${rule}.repeated.unique = true,`,
  ),
  tighter(
    `${request}.tags: repeated.items.string.max_len 32 -> 16`,
    'items.string.max_len = 32',
    'items.string.max_len = 16',
  ),
  tighter(`${request}.names: map.max_pairs 50 -> 5`, 'max_pairs = 50', 'max_pairs = 5'),
  tighter(
    `${request}.names: map.keys.string.max_len 8 -> 2`,
    'keys.string.max_len = 8',
    'keys.string.max_len = 2',
  ),
  tighter(
    `${request}.names: map.values.string.min_len 1 -> 2`,
    'values.string.min_len = 1',
    'values.string.min_len = 2',
  ),
  tighter(
    `${request}.colour: string.in ["red", "green", "blue"] -> ["red", "green"]`,
    '"green",\n      "blue"',
    '"green"',
  ),
  tighter(`${request}.maker_address: string.ipv4 none -> true`, 'string.ip = true', 'string.ipv4 = true'),
  tighter(
    `${request}.delivery: duration.lte 864000s -> 3600s`,
    'lte = {seconds: 864000}',
    'lte = {seconds: 3600}',
  ),
  added('start_time = 12', `${rule}.timestamp.gt_now = true`, 'start_time: timestamp.gt_now none -> true'),
  added(
    'start_time = 12',
    `${rule}.timestamp.within = {seconds: 9}`,
    'start_time: timestamp.within none -> 9s',
  ),
  tighter(`${request}.state: enum.not_in [0] -> [0, 2]`, 'not_in: [0]', 'not_in: [0, 2]'),
  tighter(
    `${request}.state: enum.defined_only none -> true`,
    'not_in: [0]',
    'not_in: [0]\n defined_only: true',
  ),
  tighter(
    `${request}.shelf: ignore IGNORE_IF_ZERO_VALUE -> none`,
    ` = 4,\n    ${rule}.ignore = IGNORE_IF_ZERO_VALUE`,
    ' = 4',
  ),
  tighter(
    `${request}.note: cel note.no_tabs "!this.contains('\\\\t')" -> "!this.contains(' ')"`,
    `"!this.contains('\\\\t')"`,
    `"!this.contains(' ')"`,
  ),
  tighter(
    `${request}.note: cel note.not_long none -> "size(this) < 9"`,
    `${rule}.cel = {\n    id: "note.no_tabs"`,
    `${rule}.cel = {id: "note.not_long" message: "too long" expression: "size(this) < 9"}, ${rule}.cel = {\n    id: "note.no_tabs"`,
  ),
  tighter(
    `${request}: cel add_item.sale_below_price "this.sale_price_cents <= this.price_cents" -> "this.sale_price_cents < this.price_cents"`,
    '<= this.price_cents',
    '< this.price_cents',
  ),
  tighter(
    `${request}: oneof none -> ["maker", "importer", "label", "note"]`,
    '"label"\n',
    '"label",\n "note"\n',
  ),
  tighter(
    `${request}: oneof none -> ["maker", "importer", "label"], required`,
    '"label"\n    ]',
    '"label"\n    ]\n required: true',
  ),
  tighter(
    `${request}.size: required none -> true`,
    'oneof size {',
    'oneof size {\n option (buf.validate.oneof).required = true;',
  ),
  tighter(
    `${request}.brand: required no field -> value is required`,
    '  // Note.\n',
    `  // Brand.\n string brand = 21 [${rule}.required = true];\n\n  // Note.\n`,
  ),
  tighter(
    `${request}.brand: string.min_len no field -> must be at least 1 characters`,
    '  // Note.\n',
    `  // Brand.\n string brand = 21 [${rule}.string.min_len = 1];\n\n  // Note.\n`,
  ),
  tighter(
    `${request}.payment: required no oneof -> exactly one field is required in oneof`,
    '  // Note.\n',
    `  // Payment.\n oneof payment {\n option (buf.validate.oneof).required = true;\n // Card.\n string card = 31;\n // IBAN.\n string iban = 32;\n }\n\n  // Note.\n`,
  ),
];
