import type { DescService } from '@bufbuild/protobuf';
import { ofLastWord, pluralOf, singularOf } from './names/plural.ts';
import { capitalised } from './names/word-forms.ts';
import { type PlannedRpcs, planRpcs, type Rpc } from './plan-rpcs.ts';

/** The names with which the template is rendered, in PascalCase, and the methods. */
export interface ServicePlan extends PlannedRpcs {
  /** `payments`: the name of the folder, package of the contract, npm package, scope, database and host. */
  readonly service: string;
  /** `Payment`: the beginning of PaymentService. */
  readonly stem: string;
  /** The service that it calls. */
  readonly calls?: CalledService | undefined;
  /** Whether the resource is PENDING until a settler has done its work. */
  readonly settle: boolean;
  /** The contract, if it was there before the service. Such a service has a handler to write for each method, and no resource. */
  readonly contract?: DescService | undefined;
}

/** A service of this repository that a new service calls. */
export interface CalledService {
  readonly name: string;
  readonly port: number;
  readonly descriptor: DescService;
  /** Scopes of the calls. */
  readonly scopes: readonly string[];
}

export interface ServiceOptions {
  /** Names of the methods, as `planRpcs` reads them. None: create, get and list the resource. */
  readonly rpcs: readonly string[];
  readonly calls?: CalledService | undefined;
  /** Whether to add a method that watches the resource. Default: false. */
  readonly watch?: boolean;
  readonly settle?: boolean;
}

/** Valid as a scope of `policy.v1`, and as a name in DNS, PostgreSQL, npm and protobuf. */
const servicePattern = /^[a-z]{3,30}$/;
/** Names of protobuf, PostgreSQL and files are made of it. */
const maxResourceLength = 30;

/**
 * Plans a service of this name with these methods. Without methods it creates, gets and lists the resource that it is
 * named after.
 *
 * @throws Error that says what is wrong with a name, and how to correct it.
 */
export function planService(service: string, options: ServiceOptions): ServicePlan {
  const { rpcs: rpcNames, calls, watch = false, settle = false } = options;
  requireServiceName(service);
  const single = capitalised(singularOf(service));
  const crud = [`Create${single}`, `Get${single}`, `List${ofLastWord(single, pluralOf)}`];
  const given = planRpcs(rpcNames.length === 0 ? crud : rpcNames, single);
  const { resource, resources, rpcs } = given;
  const isWatched = rpcs.some(({ kind }) => kind === 'watch');
  const watchRpc: Rpc = { name: `Watch${resources}`, kind: 'watch', served: true, isStream: true };
  const planned = { resource, resources, rpcs: watch && !isWatched ? [...rpcs, watchRpc] : rpcs };
  if (resource.length < 3 || resource.length > maxResourceLength)
    throw new Error(`${resource} is not a valid resource: use 3 to ${maxResourceLength} letters`);
  // giftcards stores GiftCards.
  const isSame = [resource, resources].some((name) => name.toLowerCase() === service);
  return { service, stem: isSame ? resource : single, ...planned, calls, settle };
}

/** Throws an Error for a name that a service cannot have. */
export function requireServiceName(service: string): void {
  if (!servicePattern.test(service))
    throw new Error(
      `${JSON.stringify(service)} is not a valid service name: use one word of 3 to 30 lower-case letters, such as payments. ` +
        'It becomes a package of the contract, a scope, a database and a host.',
    );
}
