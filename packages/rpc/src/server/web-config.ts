import { listenAddressFormat, listenAddressProblem } from '../config/address.ts';
import type { Environment } from '../config/environment.ts';

/** The web port, for browsers and `curl`. */
export interface WebConfig {
  /** `host:port`, `[ipv6]:port` or `unix:/path`. */
  readonly address: string;
  /** Exact origins whose scripts may call, or `*` for all, in development only. */
  readonly origins: readonly string[];
}

const originsFormat =
  'exact origins, comma-separated, without wildcards: https://app.example.com,https://admin.example.com';

/** Reads `WEB_LISTEN_ADDRESS` and `WEB_ORIGINS`. Undefined if the web port is off. */
export function readWebConfig(environment: Environment, production: boolean): WebConfig | undefined {
  const address = environment.optionalText('WEB_LISTEN_ADDRESS', {
    format: listenAddressFormat,
    problemOf: listenAddressProblem,
    meaning:
      'Address of the port for browsers and `curl`, which serves Connect and gRPC-Web. Without it there is no such port.',
  });
  const origins = environment.optionalParsed('WEB_ORIGINS', {
    format: originsFormat,
    parse: parseOrigins,
    meaning:
      'Origins whose scripts may call the web port (CORS). `*` permits all of them, in development only. ' +
      'Without it browsers permit only pages from the address of the port.',
  });
  if (production && origins?.includes('*'))
    environment.addProblem(
      'WEB_ORIGINS',
      '* lets the scripts of every website call',
      `${originsFormat} (NODE_ENV is production unless it is set)`,
    );
  if (address === undefined && origins)
    environment.addProblem('WEB_ORIGINS', 'there is no web port', 'WEB_LISTEN_ADDRESS as well');
  return address === undefined ? undefined : { address, origins: origins ?? [] };
}

function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text.split(',').map((each) => each.trim());
  return origins.every((each) => each === '*' || isOrigin(each)) ? origins : undefined;
}

/** Returns whether a text is an origin as browsers send it: no path, no default port, lower case, no wildcard. */
function isOrigin(text: string): boolean {
  return /^https?:[^*]*$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
