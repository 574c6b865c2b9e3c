import type { ServerConfig } from '@acme/rpc/server';

/** Returns the configuration of a server in a test: any free port, plain text, and tokens if there is `auth`. */
export function testServerConfig(auth?: ServerConfig['auth']): ServerConfig {
  return {
    listenAddress: '127.0.0.1:0',
    deadlineMode: 'default',
    auth,
    peers: new Map(),
    traceContext: 'peers',
    tls: undefined,
    drainTimeoutMs: 2000,
    logLevel: 'silent',
    production: false,
  };
}
