import { serviceConfigOf } from '@acme/rpc/client';
import { type Policies, policyOf } from '@acme/rpc/contract';
import type { ServiceContract } from './service-contract.ts';

interface ServiceConfig {
  readonly retryThrottling: unknown;
  readonly methodConfig: readonly {
    readonly name: readonly { readonly service: string; readonly method: string }[];
    readonly retryPolicy: unknown;
  }[];
}

/**
 * Returns the gRPC service config of a service (gRFC A2 and A6) as JSON, for clients in other languages: each method's
 * deadline as `timeout`, the retries of the kit's client, and round-robin, which every gRPC has. gRPC applies the shorter one
 * of `timeout` and the deadline of the call.
 */
export function printServiceConfig({ services }: ServiceContract, policies: Policies): string {
  const configs = services.map((service): ServiceConfig => JSON.parse(serviceConfigOf(service)));
  const retried = configs.flatMap(({ methodConfig }) => methodConfig);
  const methodConfig = services
    .flatMap(({ methods }) => methods)
    .map((method) => {
      const name = { service: method.parent.typeName, method: method.name };
      const retries = retried.find((each) =>
        each.name.some(({ service, method }) => service === name.service && method === name.method),
      );
      const timeout = `${policyOf(method, policies).deadlineMs / 1000}s`;
      return { name: [name], timeout, ...(retries && { retryPolicy: retries.retryPolicy }) };
    });
  const [{ retryThrottling } = { retryThrottling: undefined }] = configs;
  const config = { loadBalancingConfig: [{ round_robin: {} }], retryThrottling, methodConfig };
  return `${JSON.stringify(config, null, 2)}\n`;
}
