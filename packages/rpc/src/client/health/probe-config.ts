import {
  listenAddressFormat,
  listenAddressProblem,
  targetFormat,
  targetProblem,
} from '../../config/address.ts';
import type { Environment } from '../../config/environment.ts';
import { readTls } from '../../tls/read-tls.ts';
import type { TlsConfig } from '../../tls/tls-files.ts';

export interface ProbeConfig {
  readonly target: string;
  readonly tls: TlsConfig | undefined;
}

/** @throws EnvironmentError that names every variable that is missing or not valid. */
export function readProbeConfig(environment: Environment): ProbeConfig {
  const config = { target: readTarget(environment), tls: readTls(environment) };
  environment.check();
  return config;
}

/** The server's own address, unless `HEALTH_TARGET` is set. */
function readTarget(environment: Environment): string {
  const listenAddress = { format: listenAddressFormat, meaning: 'Address of the gRPC server.' };
  const healthTarget = {
    format: `${targetFormat}, unless LISTEN_ADDRESS is set`,
    meaning: 'Target of the server, if it differs from `LISTEN_ADDRESS`.',
  };
  const listens = environment.optionalText('LISTEN_ADDRESS', listenAddress) !== undefined;
  if (listens && environment.optionalText('HEALTH_TARGET', healthTarget) === undefined)
    return reachable(environment.text('LISTEN_ADDRESS', { ...listenAddress, problemOf: probeProblem }));
  return environment.text('HEALTH_TARGET', { ...healthTarget, problemOf: targetProblem });
}

/** Rejects port 0 too: the server chooses the port, and the probe does not know it. */
function probeProblem(listenAddress: string): string | undefined {
  return listenAddressProblem(listenAddress) ?? targetProblem(reachable(listenAddress));
}

/** Replaces the wildcard address of a server that listens on all addresses, which cannot be called. */
function reachable(listenAddress: string): string {
  return listenAddress.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, 'localhost');
}
