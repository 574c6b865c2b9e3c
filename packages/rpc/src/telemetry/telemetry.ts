import { createRequire } from 'node:module';
import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { readEnvironment } from '../config/environment.ts';
import { withoutLogExport } from './log-export.ts';
import { readTelemetryConfig } from './telemetry-config.ts';

export interface TelemetryOptions {
  /** The service's name, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` gives one. */
  readonly service: string | undefined;
}

/** Time that a stopping process waits for a collector that does not answer. */
const flushTimeoutMs = 3000;

// biome-ignore lint/style/noProcessEnv: these are OpenTelemetry's variables, which its SDK also reads from the process.
const variables = process.env;
const config = readTelemetryConfig(readEnvironment(variables));

// `require` is synchronous. An awaited import would not finish before the imports below this one in a main.ts.
const require = createRequire(import.meta.url);

let running: { shutdown(): Promise<void> } | undefined;
let grpcInstrumented = false;

/**
 * Starts OpenTelemetry's SDK once, as configured by its own environment variables. Without an exporter or endpoint, or
 * with `OTEL_SDK_DISABLED`, the SDK is not loaded.
 *
 * It must run before a logger, server or client is created, which take the providers that are registered then. With
 * `OTEL_NODE_ENABLED_INSTRUMENTATIONS=grpc` it must run before grpc-js is imported. Importing `telemetry/register` first
 * ensures both.
 *
 * A signal is exported if its exporter is set (`OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_LOGS_EXPORTER`) or
 * there is an endpoint for it. `OTEL_METRICS_EXPORTER=prometheus` serves `/metrics` on `OTEL_EXPORTER_PROMETHEUS_HOST` and
 * `_PORT`. By the specification an unset exporter would send to a collector on localhost, which development and partly
 * configured deployments do not have. The endpoint of all signals, `OTEL_EXPORTER_OTLP_ENDPOINT`, does not enable logs:
 * they are on stdout, where most platforms collect them, and would be stored twice.
 */
export function startTelemetry({ service }: TelemetryOptions): void {
  const { exportsTraces, exportsMetrics, exportsLogs } = config;
  if (running || !(exportsTraces || exportsMetrics || exportsLogs)) return;
  // The SDK is silent otherwise, even about an unknown exporter.
  if (!config.printsDiagnostics) diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  variables.OTEL_NODE_RESOURCE_DETECTORS = config.resourceDetectors;
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    ...(service !== undefined && !config.isServiceNamed && { serviceName: service }),
    ...(!exportsTraces && { spanProcessors: [] }),
    ...(!exportsMetrics && { metricReaders: [] }),
    ...(!exportsLogs && { logRecordProcessors: [] }),
    instrumentations: [
      ...(config.instrumentsGrpc ? instrumentGrpc() : []),
      ...(exportsMetrics ? instrumentRuntime() : []),
    ],
  });
  sdk.start();
  running = sdk;
}

/**
 * Writes the SDK's warnings and errors to the log instead of stderr: the text up to the first value, and the type and
 * code of the error. These lines are not exported. With `OTEL_LOG_LEVEL` the SDK prints to stderr as configured.
 */
export function logTelemetry(log: Logger): void {
  if (config.printsDiagnostics) return;
  const nothing = () => {};
  const write = (...args: readonly unknown[]) =>
    withoutLogExport(() => log.warn(errorOf(args), `opentelemetry: ${wordsOf(args)}`));
  diag.setLogger(
    { error: write, warn: write, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/** Flushes and stops the SDK. Never rejects. Telemetry that the collector has not received by the timeout is lost. */
export async function shutdownTelemetry(timeoutMs = flushTimeoutMs): Promise<void> {
  if (!running) return;
  const stopped = Promise.withResolvers<void>();
  const timer = setTimeout(stopped.reject, timeoutMs, new Error(`no answer within ${timeoutMs} ms`));
  running.shutdown().then(stopped.resolve, stopped.reject);
  await stopped.promise.catch((error: unknown) => diag.error('telemetry was lost at shutdown', error));
  clearTimeout(timer);
}

/** Returns whether the official instrumentation creates the spans of calls. The chain then records only metrics. */
export function isGrpcInstrumented(): boolean {
  return grpcInstrumented;
}

function instrumentGrpc() {
  const { GrpcInstrumentation } =
    require('@opentelemetry/instrumentation-grpc') as typeof import('@opentelemetry/instrumentation-grpc');
  const grpc = require('@grpc/grpc-js') as typeof import('@grpc/grpc-js');
  // Patches grpc-js at once. The hook of the instrumentation acts on `require`, which a bundle does not call. grpc-js is
  // CommonJS, so later imports get the patched module.
  class PatchedGrpc extends GrpcInstrumentation {
    override init() {
      for (const { patch } of super.init()) patch?.(grpc);
      return [];
    }
  }
  grpcInstrumented = true;
  return [new PatchedGrpc()];
}

/** Returns the instrumentation of the event loop, the heap and the garbage collector. */
function instrumentRuntime() {
  const { RuntimeNodeInstrumentation } =
    require('@opentelemetry/instrumentation-runtime-node') as typeof import('@opentelemetry/instrumentation-runtime-node');
  return [new RuntimeNodeInstrumentation()];
}

function wordsOf(args: readonly unknown[]): string {
  const text = args.filter((each) => typeof each === 'string').join(' ');
  return /^[A-Za-z@][A-Za-z@/,. -]{0,199}/.exec(text)?.[0].trim() ?? 'message withheld';
}

/** Returns the type and code of the error in a message. The SDK prints errors of exporters as JSON. */
function errorOf(args: readonly unknown[]): { type?: unknown; code?: unknown } {
  for (const each of args) {
    const error = typeof each === 'string' && each.startsWith('{') ? parsed(each) : each;
    if (typeof error === 'object' && error !== null && 'name' in error)
      return { type: error.name, code: 'code' in error ? error.code : undefined };
  }
  return {};
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
