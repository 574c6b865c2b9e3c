import { experimental, Metadata, status } from '@grpc/grpc-js';

/**
 * Finds the addresses of a target. Called with the path of the target, `orders` for `consul:///orders`, when a client needs
 * its addresses: once for each client, and again after the client was idle for 30 minutes.
 */
export type Resolve = (path: string, callbacks: ResolverCallbacks) => Resolution;

/** Reports what a resolver has found, at any time and any number of times. Calls after `close` have no effect. */
export interface ResolverCallbacks {
  /**
   * Replaces the addresses: `10.0.0.1:50052`, `[::1]:50052`, `host:50052` or `unix:/path`. Those beyond 1,000 are ignored. An
   * empty list, and one with another text, is an error.
   */
  readonly onAddresses: (addresses: readonly string[]) => void;
  /** Reports a failure. The client keeps its last addresses. Without any, its calls are UNAVAILABLE with the reason. */
  readonly onError: (error: unknown) => void;
}

/** A resolver at work for one client. */
export interface Resolution {
  /**
   * Called when the addresses may have changed: when a connection is lost, or none could be made. At most once a second. For
   * a resolver that is not informed of changes.
   */
  refresh?(): void;
  /** Called when the client is closed or idle. */
  close(): void;
}

const minRefreshMs = 1000;
const maxAddresses = 1000;
const maxReasonLength = 256;
const maxPort = 65_535;

/** Makes grpc-js resolve the targets of a scheme by `resolve`, for the whole process. */
export function addResolver(scheme: string, resolve: Resolve): void {
  experimental.registerResolver(
    scheme,
    class extends ChannelResolver {
      constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener) {
        super(resolve, target.path, listener);
      }
    },
  );
}

class ChannelResolver implements experimental.Resolver {
  readonly #resolve: Resolve;
  readonly #path: string;
  readonly #listener: experimental.ResolverListener;
  /** Undefined until the first resolution, after `destroy`, and after a resolver that has thrown. */
  #resolution: Resolution | undefined;
  /** Identifies the resolver whose callbacks have an effect. */
  #current: object | undefined;
  #lastRunAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(resolve: Resolve, path: string, listener: experimental.ResolverListener) {
    this.#resolve = resolve;
    this.#path = path;
    this.#listener = listener;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path.split('/', 1)[0] ?? path;
  }

  updateResolution(): void {
    if (this.#timer) return;
    const waitMs = this.#lastRunAtMs + minRefreshMs - performance.now();
    if (waitMs <= 0) this.#run();
    else this.#timer = setTimeout(() => this.#run(), waitMs).unref();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastRunAtMs = Number.NEGATIVE_INFINITY;
    this.#current = undefined;
    const resolution = this.#resolution;
    this.#resolution = undefined;
    try {
      resolution?.close();
    } catch {
      // Its client is being closed, and has no call to report it to.
    }
  }

  #run() {
    this.#timer = undefined;
    this.#lastRunAtMs = performance.now();
    try {
      if (this.#resolution) this.#resolution.refresh?.();
      else this.#resolution = this.#start();
    } catch (error) {
      this.#report(this.#current, () => failure(error));
    }
  }

  #start(): Resolution {
    const run = {};
    this.#current = run;
    return this.#resolve(this.#path, {
      onAddresses: (addresses) => this.#report(run, () => endpointsOf(addresses)),
      onError: (error) => this.#report(run, () => failure(error)),
    });
  }

  /** Later, because grpc-js permits no call of its listener while it calls the resolver. */
  #report(run: object | undefined, result: () => Endpoints) {
    const endpoints = result();
    process.nextTick(() => {
      if (run && run === this.#current) this.#listener(endpoints, {}, null, '');
    });
  }
}

type Endpoints = experimental.StatusOr<experimental.Endpoint[]>;

function endpointsOf(addresses: readonly string[]): Endpoints {
  // Resolvers without types, and values from a registry, would otherwise throw in the resolver's own callback.
  if (!Array.isArray(addresses)) return failure(new Error('the resolver returned no list of addresses'));
  if (addresses.length === 0) return failure(new Error('the resolver found no address'));
  const endpoints: experimental.Endpoint[] = [];
  for (const text of addresses.slice(0, maxAddresses)) {
    const address = addressOf(text);
    if (!address)
      return failure(new Error(`the resolver returned ${JSON.stringify(text)}, which is no address`));
    endpoints.push({ addresses: [address] });
  }
  return experimental.statusOrFromValue(endpoints);
}

function addressOf(text: unknown): experimental.SubchannelAddress | undefined {
  if (typeof text !== 'string') return undefined;
  // An empty path would connect to TCP.
  if (text.startsWith('unix:')) return text === 'unix:' ? undefined : { path: text.slice('unix:'.length) };
  const { host, port } = experimental.splitHostPort(text) ?? {};
  return host && port && port <= maxPort ? { host, port } : undefined;
}

/** The reason is part of a status, so at most 256 characters of it are reported. */
function failure(error: unknown): Endpoints {
  const reason =
    error instanceof Error ? error.message : typeof error === 'string' ? error : 'unknown reason';
  const details = `name resolution failed: ${reason.slice(0, maxReasonLength)}`;
  return experimental.statusOrFromError({ code: status.UNAVAILABLE, details, metadata: new Metadata() });
}
