import { targetFormat, targetProblem } from '../config/address.ts';
import type { Environment } from '../config/environment.ts';
import { isLoopback } from '../tls/loopback.ts';
import type { TlsConfig } from '../tls/tls-files.ts';

/**
 * Reads the target of a service that is called with a token. Without TLS a target on another machine is rejected at the
 * start, because the client does not send tokens in plain text.
 *
 * @param meaning describes the target in docs/settings.md.
 */
export function readTarget(
  environment: Environment,
  name: string,
  { tls, meaning }: { tls: TlsConfig | undefined; meaning: string },
): string {
  const target = environment.text(name, { format: targetFormat, problemOf: targetProblem, meaning });
  requireProtected(environment, name, target, tls);
  return target;
}

/** As `readTarget`, but undefined when the variable is absent: for a service that need not be called. */
export function readOptionalTarget(
  environment: Environment,
  name: string,
  { tls, meaning }: { tls: TlsConfig | undefined; meaning: string },
): string | undefined {
  const parse = (text: string) => (targetProblem(text) === undefined ? text : undefined);
  const target = environment.optionalParsed(name, { format: targetFormat, parse, meaning });
  if (target !== undefined) requireProtected(environment, name, target, tls);
  return target;
}

function requireProtected(
  environment: Environment,
  name: string,
  target: string,
  tls: TlsConfig | undefined,
): void {
  if (tls === undefined && target !== '' && !isLoopback(target))
    environment.addProblem(
      name,
      'TLS is off, and no token is sent to another machine in plain text',
      'TLS_MODE=tls or mtls, or a loopback target',
    );
}
