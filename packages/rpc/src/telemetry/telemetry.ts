import { createRequire } from 'node:module';
import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { readEnvironment } from '../config/environment.ts';
import { readTelemetryConfig } from './telemetry-config.ts';

export interface TelemetryOptions {
  /** The service's name, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` gives one. */
  readonly service: string | undefined;
}

/** How long a stopping process waits for a collector that does not answer. */
const flushTimeoutMs = 3000;

// biome-ignore lint/style/noProcessEnv: these are OpenTelemetry's variables, which its SDK reads from the process too.
const variables = process.env;
const config = readTelemetryConfig(readEnvironment(variables));

// Loaded by require, because it happens at once: an import would have to be awaited, and what stands below this import
// in a main.ts would not wait.
const require = createRequire(import.meta.url);

let running: { shutdown(): Promise<void> } | undefined;
let grpcInstrumented = false;

/**
 * Starts OpenTelemetry's SDK as its own environment variables say, once. What they say nothing of costs nothing: without
 * an exporter nor an endpoint, or with `OTEL_SDK_DISABLED`, the SDK is not even loaded.
 *
 * It must run before anything creates a server or a client, because measurements go to whatever meter is there then.
 * With `OTEL_NODE_ENABLED_INSTRUMENTATIONS=grpc` it must run before grpc-js is imported. Importing `telemetry-register`
 * first does both.
 *
 * A signal is exported when its exporter is named (`OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`) or there is an
 * endpoint for it. `OTEL_METRICS_EXPORTER=prometheus` serves `/metrics` on `OTEL_EXPORTER_PROMETHEUS_HOST` and `_PORT`.
 * The specification would send what is not named to a collector on this machine, which in development
 * and in half-configured deployments is not there. Logs go to stdout, not through the SDK.
 */
export function startTelemetry({ service }: TelemetryOptions): void {
  const { exportsTraces, exportsMetrics } = config;
  if (running || !(exportsTraces || exportsMetrics)) return;
  // The SDK is silent otherwise, also about an exporter that it does not know.
  if (!config.printsDiagnostics) diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  variables.OTEL_NODE_RESOURCE_DETECTORS = config.resourceDetectors;
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    ...(service !== undefined && !config.isServiceNamed && { serviceName: service }),
    ...(!exportsTraces && { spanProcessors: [] }),
    ...(!exportsMetrics && { metricReaders: [] }),
    logRecordProcessors: [],
    instrumentations: [
      ...(config.instrumentsGrpc ? instrumentGrpc() : []),
      ...(exportsMetrics ? instrumentRuntime() : []),
    ],
  });
  sdk.start();
  running = sdk;
}

/**
 * Sends the SDK's warnings and errors to the log instead of stderr: the words before the first value, and the type and
 * code of the error. With `OTEL_LOG_LEVEL` the SDK prints what it is asked for, and is left to it.
 */
export function logTelemetry(log: Logger): void {
  if (config.printsDiagnostics) return;
  const nothing = () => {};
  const write = (...args: readonly unknown[]) => log.warn(errorOf(args), `opentelemetry: ${wordsOf(args)}`);
  diag.setLogger(
    { error: write, warn: write, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

/**
 * Sends what has not been sent yet, and stops. It never rejects, and never takes longer than the timeout: what the
 * collector has not taken by then is lost.
 */
export async function shutdownTelemetry(timeoutMs = flushTimeoutMs): Promise<void> {
  if (!running) return;
  const stopped = Promise.withResolvers<void>();
  const timer = setTimeout(stopped.reject, timeoutMs, new Error(`no answer within ${timeoutMs} ms`));
  running.shutdown().then(stopped.resolve, stopped.reject);
  await stopped.promise.catch((error: unknown) => diag.error('telemetry was lost at the end', error));
  clearTimeout(timer);
}

/** Whether the official instrumentation makes the spans of calls. Ours then makes none, and measures only. */
export function isGrpcInstrumented(): boolean {
  return grpcInstrumented;
}

function instrumentGrpc() {
  const { GrpcInstrumentation } =
    require('@opentelemetry/instrumentation-grpc') as typeof import('@opentelemetry/instrumentation-grpc');
  const instrumentation = new GrpcInstrumentation();
  // grpc-js is CommonJS: required after the hook is there, it is patched, and every later import gets that very module.
  // Hooks for ESM would have to be there before the first module is linked, and left out they would fail without a word.
  require('@grpc/grpc-js');
  grpcInstrumented = true;
  return [instrumentation];
}

/** The event loop, the heap and the garbage collector. */
function instrumentRuntime() {
  const { RuntimeNodeInstrumentation } =
    require('@opentelemetry/instrumentation-runtime-node') as typeof import('@opentelemetry/instrumentation-runtime-node');
  return [new RuntimeNodeInstrumentation()];
}

function wordsOf(args: readonly unknown[]): string {
  const text = args.filter((each) => typeof each === 'string').join(' ');
  return /^[A-Za-z@][A-Za-z@/,. -]{0,199}/.exec(text)?.[0].trim() ?? 'a message that is withheld';
}

/** The SDK prints an error of an exporter as JSON. */
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
