import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { copyContract, edit } from '../../check/contract/testing/contract-copy.ts';
import { compileDescriptors } from '../../descriptors/compile.ts';
import { staleFiles, writeFiles } from '../output-files.ts';
import { referenceFiles } from './reference-files.ts';

vi.setConfig({ testTimeout: 60_000 });

let files: Map<string, string | undefined>;

beforeAll(() => {
  using contract = copyContract();
  files = filesOf(contract.folder);
});

function filesOf(folder: string): Map<string, string | undefined> {
  const registry = compileDescriptors(folder);
  const entries = ['Catalogue', 'Order'].map((name) => {
    const descriptor = registry.getService(`shop.v1.${name}Service`);
    if (!descriptor) throw new Error(`the tests' contract has no ${name}Service`);
    return { name: name.toLowerCase(), descriptor, port: 1, metricsPort: 2, calls: {}, examples: [] };
  });
  return referenceFiles(folder, entries, {});
}

function read(file: string): string {
  const text = files.get(file);
  if (text === undefined) throw new Error(`${file} is not generated`);
  return text;
}

test('a service has an API page, an OpenAPI document and a service config', () => {
  expect([...files.keys()]).toEqual([
    'docs/api/catalogue.md',
    'gen/openapi/catalogue.json',
    'gen/service-config/catalogue.json',
    'docs/api/order.md',
    'gen/openapi/order.json',
    'gen/service-config/order.json',
  ]);
});

test('the API page has the policy of a method, its error reasons, and the rules of fields', () => {
  const page = read('docs/api/catalogue.md');
  for (const part of [
    '| path | `/shop.v1.CatalogueService/AddItem`; with Connect `POST` |',
    '| deadline | 2 s, at most 20 s |',
    '| scopes | `catalogue:write` |',
    '| quota | 10 calls/s of a caller on a replica, 100 at once, none with the scope `catalogue:write:any` |',
    '| retries | on UNAVAILABLE: the method is idempotent |',
    '| ALREADY_EXISTS | `SKU_TAKEN` | `google.rpc.ResourceInfo` |',
    '| path | `/shop.v1.CatalogueService/CountItems`; with Connect `POST` or `GET` |',
    '| scopes | none: anonymous |',
    '| `sku` | `string` | `min_len = 1`, `max_len = 64`, `pattern = "^[A-Z0-9-]+$"` | SKU. |',
    '| `tags` | list of `string` | `max_items = 20`, `items.max_len = 32` | Tags. |',
    '| `names` | map of `string` to `string` | `max_pairs = 50`, `keys.max_len = 8`, `values.min_len = 1` |',
    '| `pieces` | `uint32` | one of `size` | Number of pieces. |',
    '| `state` | [AddItemRequest.State](#additemrequeststate) |',
    '| `STATE_ON_SALE` | 1 | For sale. |',
  ])
    expect(page).toContain(part);
  expect(read('docs/api/order.md')).toContain('| kind | a stream of requests, one response |');
});

test('the OpenAPI document has each unary method, with GET where the method has no side effects', () => {
  const { paths, components } = JSON.parse(read('gen/openapi/catalogue.json'));
  expect(Object.keys(paths['/shop.v1.CatalogueService/AddItem'])).toEqual(['post']);
  expect(Object.keys(paths['/shop.v1.CatalogueService/CountItems'])).toEqual(['post', 'get']);
  expect(paths['/shop.v1.CatalogueService/AddItem'].post).toMatchObject({
    security: [{ token: ['catalogue:write'] }],
    responses: {
      400: { description: 'failed_precondition `CATALOGUE_FULL`' },
      409: { description: 'already_exists `SKU_TAKEN`' },
    },
  });
  expect(components.schemas['shop.v1.AddItemRequest'].properties).toMatchObject({
    sku: { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Z0-9-]+$' },
    priceCents: { type: ['string', 'integer'], format: 'int64' },
    weightKg: { type: ['number', 'string'], minimum: 0 },
    photo: { type: 'string', contentEncoding: 'base64' },
    tags: { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 32 } },
    names: {
      type: 'object',
      maxProperties: 50,
      propertyNames: { maxLength: 8 },
      additionalProperties: { type: 'string', minLength: 1 },
    },
    colour: { enum: ['red', 'green', 'blue'] },
    delivery: { type: 'string' },
    startTime: { type: 'string', format: 'date-time' },
    state: { $ref: '#/components/schemas/shop.v1.AddItemRequest.State' },
  });
  expect(components.schemas['shop.v1.AddItemRequest.State'].enum).toContain('STATE_ON_SALE');
  expect(Object.keys(JSON.parse(read('gen/openapi/order.json')).paths)).not.toContain(
    '/shop.v1.OrderService/ImportOrders',
  );
});

/** Requires that every reference of an OpenAPI document is to a schema that it has. */
function expectWholeDocument(text: string): void {
  const schemas = Object.keys(JSON.parse(text).components.schemas);
  const referenced = [...text.matchAll(/#\/components\/schemas\/([^"]+)/g)].map(([, schema]) => schema);
  expect(referenced.length).toBeGreaterThan(3);
  expect(schemas).toEqual(expect.arrayContaining(referenced));
}

test('every reference of an OpenAPI document is to a schema that it has', () => {
  for (const name of ['catalogue', 'order']) expectWholeDocument(read(`gen/openapi/${name}.json`));
});

test("protobuf's own types have the schema of their JSON, as messages of a method and in fields", () => {
  const file = 'shop/v1/catalogue_service.proto';
  const imports = ['empty', 'struct', 'type'].map((name) => `import "google/protobuf/${name}.proto";\n`);
  using contract = copyContract([
    edit(
      file,
      'import "google/protobuf/timestamp.proto";\n',
      `${imports.join('')}import "google/protobuf/timestamp.proto";\n`,
    ),
    edit(file, 'CountItems(CountItemsRequest)', 'CountItems(google.protobuf.Empty)'),
    edit(
      file,
      '  int64 count = 1;',
      '  int64 count = 1;\n  google.protobuf.NullValue nothing = 2;\n  google.protobuf.Type type = 3;',
    ),
  ]);
  const text = filesOf(contract.folder).get('gen/openapi/catalogue.json') ?? '';
  expectWholeDocument(text);
  const { paths, components } = JSON.parse(text);
  const { post, get } = paths['/shop.v1.CatalogueService/CountItems'];
  expect(post.requestBody.content['application/json'].schema).toEqual({ type: 'object' });
  expect(get.parameters[0].content['application/json'].schema).toEqual({ type: 'object' });
  const { properties } = components.schemas['shop.v1.CountItemsResponse'];
  expect(properties.nothing).toEqual({ type: 'null' });
  expect(components.schemas['google.protobuf.Type'].properties.name).toMatchObject({ type: 'string' });
});

test('the service config has the deadline of each method, and retries of those that the contract marks as safe', () => {
  const config = JSON.parse(read('gen/service-config/order.json'));
  expect(config.loadBalancingConfig).toEqual([{ round_robin: {} }]);
  const service = 'shop.v1.OrderService';
  const retryPolicy = expect.objectContaining({ maxAttempts: 3, retryableStatusCodes: ['UNAVAILABLE'] });
  expect(config.methodConfig).toEqual([
    { name: [{ service, method: 'GetOrder' }], timeout: '1s', retryPolicy },
    { name: [{ service, method: 'CancelOrder' }], timeout: '2s', retryPolicy },
    { name: [{ service, method: 'ListOrders' }], timeout: '2s', retryPolicy },
    { name: [{ service, method: 'ImportOrders' }], timeout: '60s' },
  ]);
});

test('files of services that are gone are removed, and a changed one is reported', () => {
  using contract = copyContract();
  const gone = join(contract.folder, 'docs/api/gone.md');
  mkdirSync(dirname(gone), { recursive: true });
  writeFileSync(gone, '');
  const printed = filesOf(contract.folder);
  expect(staleFiles(contract.folder, printed)).toHaveLength(7);
  writeFiles(contract.folder, printed);
  expect(existsSync(gone)).toBe(false);
  expect(staleFiles(contract.folder, printed)).toEqual([]);
  const page = join(contract.folder, 'docs/api/order.md');
  writeFileSync(page, `${readFileSync(page, 'utf8')}\nMore.\n`);
  expect(staleFiles(contract.folder, printed)).toEqual(['docs/api/order.md']);
});
