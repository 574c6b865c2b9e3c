/**
 * The kind of a method, by the beginning of its name: `create` is IDEMPOTENT by its request_id, `get` and `list` have
 * NO_SIDE_EFFECTS, and `other` is not known to be safe to retry.
 */
export type RpcKind = 'create' | 'get' | 'list' | 'other';

export interface Rpc {
  readonly name: string;
  readonly kind: RpcKind;
  /** Whether the template has a handler for it. A method without one returns UNIMPLEMENTED. */
  readonly served: boolean;
}

/** The names with which the template is rendered, each one word, and the methods. */
export interface ServicePlan {
  /** `payments`: the name of the folder, package of the contract, npm package, scope, database and host. */
  readonly service: string;
  /** `Payment`: the beginning of PaymentService. */
  readonly stem: string;
  /** `Charge`: the resource that the service stores. */
  readonly resource: string;
  /** `Charges` */
  readonly resources: string;
  readonly rpcs: readonly Rpc[];
}

/** Valid as a scope of `policy.v1`, and as a name in DNS, PostgreSQL, npm and protobuf. */
const servicePattern = /^[a-z]{3,30}$/;
const rpcPattern = /^([A-Z][a-z]+)+$/;
const prefixes = { Create: 'create', Get: 'get', List: 'list' } as const;

/**
 * Plans a service of this name with these methods. Without methods it creates, gets and lists the resource that it is
 * named after. Otherwise its resource is that of the first Create, Get or List method.
 *
 * @throws Error that says what is wrong with a name, and how to correct it.
 */
export function planService(service: string, rpcNames: readonly string[]): ServicePlan {
  if (!servicePattern.test(service))
    throw new Error(
      `${JSON.stringify(service)} is not a valid service name: use one word of 3 to 30 lower-case letters, such as payments. ` +
        'It becomes a package of the contract, a scope, a database and a host.',
    );
  const stem = capitalised(singularOf(service));
  const [resource, resources] = rpcNames.length === 0 ? [stem, pluralOf(stem)] : resourceOf(rpcNames);
  const served = [`Create${resource}`, `Get${resource}`, `List${resources}`];
  const wanted = rpcNames.length === 0 ? served : rpcNames;
  const twice = wanted.find((name, index) => wanted.indexOf(name) !== index);
  if (twice) throw new Error(`${twice} is listed twice`);
  const rpcs = wanted.map((name) => ({ name, kind: kindOf(name), served: served.includes(name) }));
  return { service, stem, resource, resources, rpcs };
}

function resourceOf(rpcNames: readonly string[]): [string, string] {
  const wrong = rpcNames.find((name) => !rpcPattern.test(name));
  if (wrong !== undefined)
    throw new Error(`${JSON.stringify(wrong)} is not a valid method name: use PascalCase, such as GetCharge`);
  for (const name of rpcNames) {
    const [, prefix, noun] = /^(Create|Get|List)(.+)$/.exec(name) ?? [];
    if (prefix === undefined || noun === undefined) continue;
    const resource = prefix === 'List' ? singularOf(noun) : noun;
    if (!/^[A-Z][a-z]{2,29}$/.test(resource)) continue;
    return [resource, prefix === 'List' && resource !== noun ? noun : pluralOf(resource)];
  }
  throw new Error(
    `none of ${rpcNames.join(', ')} creates, gets or lists a resource whose name is one word, and a service is made ` +
      'around its resource: add a method such as GetCharge',
  );
}

function kindOf(name: string): RpcKind {
  const prefix = Object.keys(prefixes).find((each) => name.startsWith(each)) as keyof typeof prefixes;
  return prefix ? prefixes[prefix] : 'other';
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function singularOf(plural: string): string {
  if (/[^aeiou]ies$/.test(plural)) return `${plural.slice(0, -3)}y`;
  if (/(s|x|z|ch|sh)es$/.test(plural)) return plural.slice(0, -2);
  return /[^su]s$/.test(plural) ? plural.slice(0, -1) : plural;
}

function pluralOf(singular: string): string {
  if (/[^aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(singular) ? `${singular}es` : `${singular}s`;
}
