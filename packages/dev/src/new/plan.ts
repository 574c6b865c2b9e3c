/** `IDEMPOTENT` by request_id, `NO_SIDE_EFFECTS` by id, in pages, or not known to be safe to repeat. */
export type RpcKind = 'create' | 'get' | 'list' | 'other';

export interface Rpc {
  readonly name: string;
  readonly kind: RpcKind;
  /** Whether the template serves it; any other answers UNIMPLEMENTED. */
  readonly served: boolean;
}

/** The words that the template is rendered with, one each, and the methods. */
export interface ServicePlan {
  /** `payments`: folder, package of the contract, npm package, scope, database, host. */
  readonly service: string;
  /** `Payment`, of PaymentService. */
  readonly stem: string;
  /** `Charge`, `Charges`: what the service keeps. */
  readonly thing: string;
  readonly things: string;
  readonly rpcs: readonly Rpc[];
}

/** What `policy.v1` allows in a scope, and DNS, PostgreSQL, npm and protobuf in a name, too. */
const servicePattern = /^[a-z]{3,30}$/;
const rpcPattern = /^([A-Z][a-z]+)+$/;
const prefixes = { Create: 'create', Get: 'get', List: 'list' } as const;

/**
 * What a service of this name, with these methods, consists of. Without methods it creates, gets and lists what it is
 * named after; otherwise what the first Create, Get or List among them is about.
 *
 * @throws Error that says what is wrong with a name, and what to do.
 */
export function planService(service: string, rpcNames: readonly string[]): ServicePlan {
  if (!servicePattern.test(service))
    throw new Error(
      `${JSON.stringify(service)} is no name for a service: one word of 3 to 30 lower-case letters, as payments. ` +
        'It becomes a package of the contract, a scope, a database and a host.',
    );
  const stem = capitalised(singularOf(service));
  const [thing, things] = rpcNames.length === 0 ? [stem, pluralOf(stem)] : thingOf(rpcNames);
  const served = [`Create${thing}`, `Get${thing}`, `List${things}`];
  const wanted = rpcNames.length === 0 ? served : rpcNames;
  const twice = wanted.find((name, index) => wanted.indexOf(name) !== index);
  if (twice) throw new Error(`${twice} is named twice`);
  const rpcs = wanted.map((name) => ({ name, kind: kindOf(name), served: served.includes(name) }));
  return { service, stem, thing, things, rpcs };
}

function thingOf(rpcNames: readonly string[]): [string, string] {
  const wrong = rpcNames.find((name) => !rpcPattern.test(name));
  if (wrong !== undefined)
    throw new Error(`${JSON.stringify(wrong)} is no name for a method: PascalCase, as GetCharge`);
  for (const name of rpcNames) {
    const [, prefix, noun] = /^(Create|Get|List)(.+)$/.exec(name) ?? [];
    if (prefix === undefined || noun === undefined) continue;
    const thing = prefix === 'List' ? singularOf(noun) : noun;
    if (!/^[A-Z][a-z]{2,29}$/.test(thing)) continue;
    return [thing, prefix === 'List' && thing !== noun ? noun : pluralOf(thing)];
  }
  throw new Error(
    `none of ${rpcNames.join(', ')} creates, gets or lists something that has a name of one word, and a service is made ` +
      'around what it keeps: name one more, as GetCharge',
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
