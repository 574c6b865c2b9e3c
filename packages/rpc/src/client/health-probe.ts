import { readEnvironment } from '../config/environment.ts';
import { createLogger } from '../logging/logger.ts';
import { channelCredentials } from '../tls/channel-credentials.ts';
import { askHealth } from './check-health.ts';
import { readProbeConfig } from './probe-config.ts';

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
  const { target, tls } = readProbeConfig(readEnvironment(variables));
  const credentials = await channelCredentials(tls, {
    // Whether they are good is for the server to say, which would not have started.
    developmentCertificates: true,
    log: createLogger({ service: 'health-probe', level: 'silent' }),
  });
  return askHealth(target, { service, credentials, timeoutMs });
}

function end(line: string, exitCode: number): void {
  process.stdout.write(`${line}\n`);
  process.exitCode = exitCode;
}
