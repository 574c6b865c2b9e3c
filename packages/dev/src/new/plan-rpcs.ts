import { ofLastWord, pluralOf, singularOf } from './names/plural.ts';
import { creatingVerbs, stateAfter } from './names/verbs.ts';

/**
 * The form of a method, by its verb:
 *
 * - `create`: IDEMPOTENT by its request_id
 * - `change`: IDEMPOTENT by the id of the resource, whose state it sets
 * - `get`, `list`, and `watch`, a stream of the resource's changes: NO_SIDE_EFFECTS
 * - `other`: not known to be safe to retry
 * - `server`, `client` and `bidi`: streams of responses, of requests, and of both
 * - `contract`: a method of a contract that was there before the service
 */
export type RpcKind =
  | 'create'
  | 'change'
  | 'get'
  | 'list'
  | 'watch'
  | 'other'
  | 'server'
  | 'client'
  | 'bidi'
  | 'contract';

export interface Rpc {
  readonly name: string;
  readonly kind: RpcKind;
  /** Whether the template has a handler for it. A method without one returns UNIMPLEMENTED. */
  readonly served: boolean;
  /** The state in which a served `create` or `change` leaves the resource: `AUTHORIZED`. */
  readonly state?: string;
  /** Whether it streams, in either direction. */
  readonly isStream: boolean;
}

/** A method as the command line names it: `Get`, `GiftCard`, without a stream. */
interface Method {
  readonly name: string;
  readonly verb: string;
  /** Empty for a bare verb, such as `Charge`. */
  readonly noun: string;
  /** `server`, `client` or `bidi` after a colon, or what the verb says. */
  readonly stream: string | undefined;
}

/** Verbs of methods that stream, without a colon and a kind. */
const streamingVerbs: Readonly<Record<string, string>> = {
  Follow: 'server',
  Import: 'client',
  Subscribe: 'server',
  Tail: 'server',
  Upload: 'client',
  Watch: 'server',
};

const methodPattern = /^([A-Z][a-z]+)+$/;
const streams = ['server', 'client', 'bidi'];

/** The resource of a service, and its methods. */
export interface PlannedRpcs {
  readonly resource: string;
  readonly resources: string;
  readonly rpcs: readonly Rpc[];
}

/**
 * Plans the methods, given as `Name` or `Name:server`, `Name:client` or `Name:bidi` for a stream. The resource is that of
 * the first Create, Get or List method, otherwise that of the first method with another known verb, or `stem`, to which bare verbs
 * apply.
 *
 * @throws Error that says what is wrong with a name, and how to correct it.
 */
export function planRpcs(given: readonly string[], stem: string): PlannedRpcs {
  const methods = given.map(parseMethod);
  const names = methods.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new Error(`${twice} is listed twice`);
  const resource = resourceOf(methods, stem);
  const resources = ofLastWord(resource, pluralOf);
  const isOfResource = ({ noun }: Method) => noun === resource || noun === '';
  const creating = methods.filter((each) => isOfResource(each) && Object.hasOwn(creatingVerbs, each.verb));
  const creator = creating.find(({ verb }) => verb === 'Create') ?? creating[0];
  const planned = methods.map((method): Rpc => {
    const { name, verb, noun, stream } = method;
    if (verb === 'Watch' && stream === 'server' && [resource, resources].includes(noun))
      return { name, kind: 'watch', served: true, isStream: true };
    if (stream !== undefined) return { name, kind: stream as RpcKind, served: false, isStream: true };
    if (verb === 'Get' && noun) return { name, kind: 'get', served: noun === resource, isStream: false };
    if (verb === 'List' && noun) return { name, kind: 'list', served: noun === resources, isStream: false };
    const state = stateAfter(verb);
    if (state === undefined) return { name, kind: 'other', served: false, isStream: false };
    if (method === creator) return { name, kind: 'create', served: true, state, isStream: false };
    return isOfResource(method)
      ? { name, kind: 'change', served: true, state, isStream: false }
      : { name, kind: 'create', served: false, isStream: false };
  });
  requireOneOfEach(planned);
  return { resource, resources, rpcs: planned };
}

/** Throws an Error for two methods that the template would serve in the same way, such as `Capture` and `CapturePayment`. */
function requireOneOfEach(rpcs: readonly Rpc[]): void {
  const first = new Map<string, string>();
  for (const { name, kind, served, state = kind } of rpcs) {
    if (!served) continue;
    const other = first.get(state);
    if (other !== undefined)
      throw new Error(`${other} and ${name} are one method under two names: leave one of them out`);
    first.set(state, name);
  }
}

function parseMethod(text: string): Method {
  const [name = '', suffix] = text.split(':');
  if (!methodPattern.test(name))
    throw new Error(`${JSON.stringify(name)} is not a valid method name: use PascalCase, such as GetCharge`);
  if (suffix !== undefined && !streams.includes(suffix))
    throw new Error(
      `${text} is no kind of stream: use ${streams.map((each) => `${name}:${each}`).join(', ')}`,
    );
  const [verb = ''] = /^[A-Z][a-z]*/.exec(name) ?? [];
  return { name, verb, noun: name.slice(verb.length), stream: suffix ?? streamingVerbs[verb] };
}

function resourceOf(methods: readonly Method[], stem: string): string {
  const isKnown = ({ verb }: Method) => stateAfter(verb) !== undefined || verb === 'Watch';
  const first =
    methods.find(({ verb, noun }) => noun && ['Create', 'Get', 'List'].includes(verb)) ??
    methods.find((each) => each.noun && isKnown(each));
  if (first) {
    const { verb, noun } = first;
    return verb === 'List' || verb === 'Watch' ? ofLastWord(noun, singularOf) : noun;
  }
  if (methods.some(isKnown)) return stem;
  const names = methods.map(({ name }) => name).join(', ');
  throw new Error(
    `none of ${names} creates, gets, lists or changes a resource, and a service is made around its resource: add a method such as Get${stem}`,
  );
}
