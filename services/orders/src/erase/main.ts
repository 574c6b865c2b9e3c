import { parseArgs } from 'node:util';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { channelCredentials, createClient, tokenFile } from '@acme/rpc/client';
import { readEnvironment } from '@acme/rpc/config';
import { codeName, RpcError } from '@acme/rpc/errors';
import { createLogger } from '@acme/rpc/logging';
import { readEraseConfig } from './erase-config.ts';
import { eraseCustomer } from './erase-customer.ts';

const usage = `usage: npm run erase -- --customer ID

Removes a customer from all orders, and waits for those that are not settled. Calls orders at ORDERS_TARGET with the token
in AUTH_TOKEN_FILE, whose scope is orders:erase, and the TLS settings of a service. It may be repeated.

  --customer ID  customer to erase: the subject of its tokens
`;

const customerId = readCustomerId();
try {
  const erased = await run(customerId);
  process.stdout.write(`erased orders: ${erased}\n`);
} catch (error) {
  process.stderr.write(`${textOf(error)}\n`);
  process.exitCode = 1;
}

async function run(customerId: string): Promise<number> {
  const config = readEraseConfig(readEnvironment(process.env));
  using orders = createClient(OrderService, {
    target: config.target,
    token: tokenFile(config.tokenFile),
    credentials: await channelCredentials(config.tls, {
      developmentCertificates: false,
      log: createLogger({ service: 'erase', level: 'warn' }),
    }),
  });
  return await eraseCustomer(orders, customerId);
}

/** Returns the customer on the command line. Ends the process for `--help`, and with exit code 2 if the line is not valid. */
function readCustomerId(): string {
  const { values, positionals } = parseArgs({
    strict: false,
    allowPositionals: true,
    options: { customer: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const { customer, help, ...others } = values;
  if (help) {
    process.stdout.write(usage);
    process.exit();
  }
  const [unknown] = Object.keys(others);
  const [surplus] = positionals;
  if (unknown !== undefined) reject(`unknown option --${unknown}`);
  if (surplus !== undefined) reject(`unexpected argument ${surplus}`);
  if (typeof customer !== 'string' || customer === '') return reject('--customer ID is missing');
  return customer;
}

function reject(problem: string): never {
  process.stderr.write(`${problem}: npm run erase -- --help prints the usage\n`);
  process.exit(2);
}

function textOf(error: unknown): string {
  if (error instanceof RpcError)
    return `a call of orders failed with ${codeName(error.code)}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
