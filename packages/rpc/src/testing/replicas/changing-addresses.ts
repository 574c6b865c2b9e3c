import { experimental } from '@grpc/grpc-js';

/** A name whose addresses a test can change, as those of a name in DNS do. */
export interface ChangingAddresses {
  readonly target: string;
  /** What the next one to ask is told. */
  ports: readonly number[];
  /** How often it was asked for. */
  readonly lookUps: number;
}

const scheme = 'changing';
const names = new Map<string, { ports: readonly number[]; lookUps: number }>();

/** Like grpc-js's resolver of DNS it only says something when it is asked. */
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
