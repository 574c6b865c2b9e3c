#!/usr/bin/env node
import { readEnvironment } from '../../config/environment.ts';
import { createLogger } from '../../logging/logger.ts';
import { channelCredentials } from '../../tls/channel-credentials.ts';
import { healthStatus } from './check-health.ts';
import { readProbeConfig } from './probe-config.ts';

/** Long enough that a machine that is short of CPU does not make a healthy service look dead. */
const timeoutMs = 5000;

/**
 * Checks a server's health (gRPC's health checking protocol), prints the status in one line, and exits with 0 if it is
 * SERVING: `node health-probe.ts [SERVICE]`, for a container's health check. Without a service, or with a service's full
 * name, it checks readiness. With `liveness` it checks only that the process answers.
 *
 * It reads the variables of the server: `LISTEN_ADDRESS`, or `HEALTH_TARGET` where the server is reached at another
 * address, and `TLS_MODE`, `TLS_CERT`, `TLS_KEY` and `TLS_CA`. With TLS the certificate must name the target's host, which
 * is `localhost` for a server that listens on all addresses.
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
    // The server has checked them at its start.
    developmentCertificates: true,
    log: createLogger({ service: 'health-probe', level: 'silent' }),
  });
  return healthStatus(target, { service, credentials, timeoutMs });
}

function end(line: string, exitCode: number): void {
  process.stdout.write(`${line}\n`);
  process.exitCode = exitCode;
}
