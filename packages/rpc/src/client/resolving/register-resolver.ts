import { allowTargetScheme } from '../../config/address.ts';
import { addResolver, type Resolve } from './channel-resolver.ts';

/** Schemes of grpc-js. */
const reservedSchemes = new Set(['dns', 'ip', 'ipv4', 'ipv6', 'unix', 'xds']);
const schemePattern = /^[a-z][a-z0-9+.-]*$/;
const registered = new Map<string, Resolve>();

/**
 * Registers a resolver for the targets of a scheme, for the whole process and before the first client of such a target:
 *
 *     registerResolver('consul', watchConsul);
 *     createClient(EchoService, { target: 'consul:///echo', … });
 *
 * The name that TLS verifies, and that the server gets as `:authority`, is the path up to its first `/`. A target of the
 * scheme counts as another machine, so that tokens are sent to it over TLS only. A call waits for the first addresses until
 * its deadline.
 *
 * @throws Error for a scheme that is ill-formed, belongs to grpc-js, or has another resolver already.
 */
export function registerResolver(scheme: string, resolve: Resolve): void {
  if (!schemePattern.test(scheme)) throw new Error(`${JSON.stringify(scheme)} is not a scheme of a URI`);
  if (reservedSchemes.has(scheme)) throw new Error(`the scheme ${scheme} belongs to grpc-js`);
  const known = registered.get(scheme);
  if (known && known !== resolve) throw new Error(`the scheme ${scheme} has another resolver already`);
  registered.set(scheme, resolve);
  allowTargetScheme(scheme);
  addResolver(scheme, resolve);
}
