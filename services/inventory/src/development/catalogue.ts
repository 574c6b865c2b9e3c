import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { type ChannelCredentials, createClient } from '@acme/rpc/client';

const colours = ['WHITE', 'RED', 'BLUE', 'GREEN', 'PINK', 'IVORY', 'BLACK', 'SILVER', 'RETRO', 'VINTAGE'];
const things = [
  'LANTERN',
  'TEACUP',
  'CAKE STAND',
  'DOORMAT',
  'PICTURE FRAME',
  'JAM JAR',
  'LUNCH BAG',
  'HEART',
  'CLOCK',
  'BUNTING',
];
const sizes = ['SMALL', 'MEDIUM', 'LARGE', 'SET OF 3', 'SET OF 6'];

/** Constant, so that the import takes effect only at the first start. */
const importId = '5a7a4da1-0000-4000-8000-000000000001';

/**
 * Number of items in the catalogue, whose SKUs start with SAT-0001.
 *
 * @public
 */
export const catalogueSize = sizes.length * colours.length * things.length;

/**
 * Returns the SKU of the item with this number, from 1.
 *
 * @public
 */
export function skuOf(number: number): string {
  return `SAT-${String(number).padStart(4, '0')}`;
}

/** Target of inventory, and a source of tokens for it. */
export interface CatalogueAccess {
  /** gRPC target, for example `dns:///inventory:50052`. */
  readonly target: string;
  /** Without them, connections are plain text. */
  readonly credentials?: ChannelCredentials | undefined;
  token(subject: string, scopes: readonly string[]): Promise<string>;
}

/** Imports the catalogue into inventory, once. Returns its number of items. */
export async function importCatalogue(access: CatalogueAccess): Promise<bigint> {
  const token = await access.token('start', ['inventory:write']);
  const { target, credentials } = access;
  using inventory = createClient(InventoryService, { target, credentials, token: () => token });
  const { received } = await inventory.importStock(catalogue());
  return received;
}

function* catalogue() {
  const itemCount = BigInt(catalogueSize);
  let number = 0;
  for (const size of sizes)
    for (const colour of colours)
      for (const thing of things) {
        const item = {
          sku: skuOf(++number),
          title: `${colour} ${thing} ${size}`,
          onHand: 1000n,
        };
        yield { importId, item, itemCount };
      }
}
