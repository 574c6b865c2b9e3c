// Servers, clients, broken networks and collected telemetry for tests.
export { callUntilAccepted } from '../testing/call-until-accepted.ts';
export { callWithEmpty } from '../testing/call-with-empty.ts';
export {
  audience,
  createSigningKeys,
  issuer,
  type SigningKeys,
} from '../testing/certificates/signing-keys.ts';
export {
  createTestCertificates,
  hourAround,
  testIdentity,
} from '../testing/certificates/test-certificates.ts';
export { encryptionKeys } from '../testing/encryption-keys.ts';
export { listedReasons, reasonsOf } from '../testing/error-reasons.ts';
export { createFakes, type Fakes } from '../testing/fakes.ts';
export type { Echo } from '../testing/gen/testing/v1/echo_pb.ts';
export { EchoService, WatchEchoesResponseSchema } from '../testing/gen/testing/v1/echo_service_pb.ts';
export type { Faults } from '../testing/network/fault-lane.ts';
export { type Direction, type FaultProxy, startFaultProxy } from '../testing/network/fault-proxy.ts';
export { connectRaw, grpcFrame } from '../testing/network/raw-http2.ts';
export { type DnsServer, startDnsServer } from '../testing/network/start-dns-server.ts';
export { rejectionOf } from '../testing/rejection-of.ts';
export { startTestServer, type TestServer, type TestServerOptions } from '../testing/start-test-server.ts';
export { collectLog } from '../testing/telemetry/collect-log.ts';
export { type CollectedTelemetry, collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
export {
  type ReceivedLogRecord,
  type ReceivedSpan,
  startOtlpCollector,
} from '../testing/telemetry/otlp-collector.ts';
export { testServerConfig } from '../testing/test-server-config.ts';
