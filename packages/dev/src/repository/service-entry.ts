import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { ServicesAccess } from './services-access.ts';

/** One service of the repository, as `services.ts` lists it. */
export interface ServiceEntry {
  /** Name of its folder in `services/`, its database and its host. */
  readonly name: string;
  readonly descriptor: DescService;
  /** Further services of the same server, for instance version 2 of `descriptor`. `npm run call` calls them too. */
  readonly otherDescriptors?: readonly DescService[];
  /** Port of its gRPC server. */
  readonly port: number;
  /** Port for browsers and `curl`, on which `npm start` and Compose serve Connect and gRPC-Web. Default: none. */
  readonly webPort?: number;
  /** Port of its Prometheus exporter. */
  readonly metricsPort: number;
  /**
   * The services that it calls, and the scopes of the token that it sends them. It reads their targets from
   * `NAME_TARGET`, the token for the first one from `AUTH_TOKEN_FILE`, and that for each further one from `NAME_TOKEN_FILE`.
   */
  readonly calls: Readonly<Record<string, readonly string[]>>;
  /** Whether it has a database, which `npm start` creates and `DATABASE_URL` names. Default: true. */
  readonly hasDatabase?: boolean;
  /** Fills the service at its first start. Returns a description of the data. */
  readonly seed?: (access: SeedAccess) => Promise<string>;
  /** Streams that `npm run watch -- NAME` follows, by that name. */
  readonly watches?: Readonly<Record<string, WatchEntry>>;
  /** Calls that `npm start` prints. */
  readonly examples: readonly Example[];
}

/** Returns every service of its server. */
export function descriptorsOf({
  descriptor,
  otherDescriptors = [],
}: Pick<ServiceEntry, 'descriptor' | 'otherDescriptors'>): readonly DescService[] {
  return [descriptor, ...otherDescriptors];
}

/** Returns the method of an example; undefined when the server has none of that name. */
export function exampleMethod(
  entry: Pick<ServiceEntry, 'descriptor' | 'otherDescriptors'>,
  { method }: Example,
): DescMethod | undefined {
  const methods = descriptorsOf(entry).flatMap((each) => each.methods);
  return methods.find(({ name }) => name === method);
}

/** Target of one service, and a source of tokens for it. */
export interface SeedAccess extends Omit<ServicesAccess, 'targets'> {
  /** gRPC target, for example `dns:///inventory:50052`. */
  readonly target: string;
}

/** A server-streaming method whose responses carry a `resume_token`. */
export interface WatchEntry {
  /** Name in the contract: `WatchOrders`. */
  readonly method: string;
  /** Command-line options by name. */
  readonly options: Readonly<Record<string, WatchOption>>;
  /** Formats one change. Returns undefined for a heartbeat. Without it a change is printed as JSON. */
  line?(response: unknown): string | undefined;
}

/** A command-line option that sets a field of the request. */
export interface WatchOption {
  /** The field's JSON name: `customerId`. */
  readonly field: string;
  /** Whether the field is repeated, and the option may be given several times. */
  readonly repeated?: boolean;
  /** Scope that the token needs in addition when the option is given. */
  readonly scope?: string;
}

export interface Example {
  /** Name in the contract: `GetOrder`. */
  readonly method: string;
  readonly request: object;
}
