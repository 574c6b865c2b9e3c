import type { ServicesAccess } from '@acme/dev/repository';
import type { Session } from '../../api.ts';
import { expiryOf } from './token-expiry.ts';
import { watchedCustomers } from './watched-customers.ts';

export type SessionAccess = Pick<ServicesAccess, 'token'> & {
  /** Base URLs of the services for browsers, by service name. */
  readonly webUrls: Readonly<Record<string, string>>;
};

/** The scopes of the page: it shows the orders of all customers, and places and cancels some. */
const scopesOf: Readonly<Record<string, readonly string[]>> = {
  orders: ['orders:read', 'orders:write', 'orders:read:any', 'orders:write:any'],
  inventory: ['inventory:read'],
};

/** The page renews its tokens before they expire, so that one that is copied is of no use for long. */
const ttlSeconds = 10 * 60;

/** Signs tokens with which the page calls the services itself. */
export async function openSession({ token, webUrls }: SessionAccess): Promise<Session> {
  const services = await Promise.all(
    Object.entries(webUrls).map(async ([name, url]) => ({
      name,
      url,
      token: await token('console', scopesOf[name] ?? [], name, ttlSeconds),
    })),
  );
  return {
    services,
    customers: watchedCustomers,
    expiresAtMs: Math.min(...services.map((service) => expiryOf(service.token))),
  };
}
