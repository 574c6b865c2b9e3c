import type { ServerConfig } from '../server/server-config.ts';

/** Returns the configuration of a server in a test: any free port, plain text, no tokens and a silent log. */
export function testServerConfig(overrides: Partial<ServerConfig> = {}): ServerConfig {
  return {
    listenAddress: '127.0.0.1:0',
    deadlineMode: 'default',
    auth: undefined,
    peers: new Map(),
    traceContext: 'peers',
    tls: undefined,
    drainTimeoutMs: 2000,
    logLevel: 'silent',
    production: false,
    ...overrides,
  };
}
