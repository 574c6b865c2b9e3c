import { ofLastWord, pluralOf, singularOf } from './names/plural.ts';
import { capitalised } from './names/word-forms.ts';
import { type PlannedRpcs, planRpcs } from './plan-rpcs.ts';

/** The names with which the template is rendered, in PascalCase, and the methods. */
export interface ServicePlan extends PlannedRpcs {
  /** `payments`: the name of the folder, package of the contract, npm package, scope, database and host. */
  readonly service: string;
  /** `Payment`: the beginning of PaymentService. */
  readonly stem: string;
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
export function planService(service: string, rpcNames: readonly string[]): ServicePlan {
  if (!servicePattern.test(service))
    throw new Error(
      `${JSON.stringify(service)} is not a valid service name: use one word of 3 to 30 lower-case letters, such as payments. ` +
        'It becomes a package of the contract, a scope, a database and a host.',
    );
  const single = capitalised(singularOf(service));
  const crud = [`Create${single}`, `Get${single}`, `List${ofLastWord(single, pluralOf)}`];
  const planned = planRpcs(rpcNames.length === 0 ? crud : rpcNames, single);
  const { resource, resources } = planned;
  if (resource.length < 3 || resource.length > maxResourceLength)
    throw new Error(`${resource} is not a valid resource: use 3 to ${maxResourceLength} letters`);
  // giftcards stores GiftCards.
  const isSame = [resource, resources].some((name) => name.toLowerCase() === service);
  return { service, stem: isSame ? resource : single, ...planned };
}
