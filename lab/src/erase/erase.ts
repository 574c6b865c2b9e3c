import { resolve } from 'node:path';
import { fail, parseCommandLine, requiredText } from '@acme/dev/cli';
import { dataOption, targetOf } from '@acme/dev/repository';
import { announcedServices } from '@acme/dev/start';
import { OrderService } from '@acme/gen/orders/v1/order_service_pb';
import { channelCredentials, createClient, tokenFile } from '@acme/rpc/client';
import { createLogger } from '@acme/rpc/logging';
import { readEraseConfig } from './erase-config.ts';
import { eraseCustomer } from './erase-customer.ts';

const {
  values: { customer, data },
} = parseCommandLine({
  call: 'npm run erase',
  summary: `Removes a customer from all orders, and waits for those that are not settled. Uses the services that npm start runs, or
orders at ORDERS_TARGET with the token in AUTH_TOKEN_FILE, whose scope is orders:erase, and the TLS settings of a service.`,
  options: {
    customer: requiredText('ID', 'customer to erase: the subject of its tokens'),
    data: dataOption,
  },
});

try {
  using orders = await connect();
  const erased = await eraseCustomer(orders, customer);
  process.stdout.write(`erased orders: ${erased}\n`);
} catch (error) {
  fail(error);
}

async function connect() {
  const config = readEraseConfig(process.env);
  if (!config) {
    const running = await announcedServices(resolve(data));
    const token = await running.token('operator', ['orders:erase']);
    return createClient(OrderService, {
      target: targetOf(running, 'orders'),
      credentials: running.credentials,
      token: () => token,
    });
  }
  return createClient(OrderService, {
    target: config.target,
    token: tokenFile(config.tokenFile),
    credentials: await channelCredentials(config.tls, {
      developmentCertificates: false,
      log: createLogger({ service: 'erase', level: 'warn' }),
    }),
  });
}
