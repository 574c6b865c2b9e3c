import { listenAddressFormat, listenAddressProblem, targetFormat, targetProblem } from '../config/address.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { createLogger } from '../logging/log.ts';
import { channelCredentials } from '../tls/channel-credentials.ts';
import { readTls } from '../tls/read-tls.ts';
import { askHealth } from './check-health.ts';

/** A machine that is short of CPU says nothing of the service. */
const timeoutMs = 5000;

/**
 * Asks a server for its health (gRPC's health checking protocol), prints the answer in one line, and exits 0 if it is
 * SERVING: `node health-probe.ts [SERVICE]`, for a container's health check. Without a service, or with its full name,
 * it asks for readiness; with `liveness` only whether the process can answer.
 *
 * It is told what the server is told: `LISTEN_ADDRESS` or, when that is not where it can be reached, `HEALTH_TARGET`;
 * and `TLS_MODE`, `TLS_CERT`, `TLS_KEY`, `TLS_CA`. With TLS the certificate must name the target's host, which is
 * `localhost` for a server that listens on all addresses.
 */
try {
  const status = await probe(process.env, process.argv[2]);
  end(status, status === 'SERVING' ? 0 : 1);
} catch (error) {
  end(error instanceof Error ? error.message : String(error), 1);
}

async function probe(variables: NodeJS.ProcessEnv, service: string | undefined): Promise<string> {
  const environment = readEnvironment(variables);
  const target = readTarget(environment);
  const tls = readTls(environment);
  environment.check();
  const credentials = await channelCredentials(tls, {
    // Whether they are good is for the server to say, which would not have started.
    developmentCertificates: true,
    log: createLogger({ service: 'health-probe', level: 'silent' }),
  });
  return askHealth(target, { service, credentials, timeoutMs });
}

function readTarget(environment: Environment): string {
  const listens = environment.optionalText('LISTEN_ADDRESS') !== undefined;
  if (listens && environment.optionalText('HEALTH_TARGET') === undefined)
    return reachable(environment.checkedText('LISTEN_ADDRESS', listenAddressFormat, probeProblem));
  return environment.checkedText(
    'HEALTH_TARGET',
    `${targetFormat}, unless the server's own LISTEN_ADDRESS is set`,
    targetProblem,
  );
}

/** Port 0 is free for the server to choose, and unknown to the probe. */
function probeProblem(listenAddress: string): string | undefined {
  return listenAddressProblem(listenAddress) ?? targetProblem(reachable(listenAddress));
}

/** Returns the target of a server that listens on all addresses, which is no address to call. */
function reachable(listenAddress: string): string {
  return listenAddress.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, 'localhost');
}

function end(line: string, exitCode: number): void {
  process.stdout.write(`${line}\n`);
  process.exitCode = exitCode;
}
