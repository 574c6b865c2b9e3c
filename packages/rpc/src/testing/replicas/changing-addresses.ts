import { experimental } from '@grpc/grpc-js';

/** A name whose addresses a test can change, like a name in DNS. */
export interface ChangingAddresses {
  readonly target: string;
  /** Ports of the next resolution. */
  ports: readonly number[];
  /** Number of resolutions so far. */
  readonly lookUps: number;
}

const scheme = 'changing';
const names = new Map<string, { ports: readonly number[]; lookUps: number }>();

/** Like grpc-js's DNS resolver, it reports addresses only on request. */
class ChangingResolver {
  readonly #name: string;
  readonly #listener: experimental.ResolverListener;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener) {
    this.#name = target.path;
    this.#listener = listener;
  }

  static getDefaultAuthority(): string {
    return 'localhost';
  }

  updateResolution() {
    const entry = names.get(this.#name);
    if (!entry) return;
    entry.lookUps++;
    const endpoints = entry.ports.map((port) => ({ addresses: [{ host: '127.0.0.1', port }] }));
    process.nextTick(() => this.#listener(experimental.statusOrFromValue(endpoints), {}, null, ''));
  }

  destroy() {}
}

export function changingAddresses(ports: readonly number[]): ChangingAddresses {
  experimental.registerResolver(scheme, ChangingResolver);
  const name = `name-${names.size}`;
  const entry = { ports, lookUps: 0 };
  names.set(name, entry);
  return Object.assign(entry, { target: `${scheme}:${name}` });
}
