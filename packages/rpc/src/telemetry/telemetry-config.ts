import type { Environment } from '../config/environment.ts';

/** The settings of telemetry. OpenTelemetry's SDK reads further variables from the process. */
export interface TelemetryConfig {
  readonly exportsTraces: boolean;
  readonly exportsMetrics: boolean;
  /** Whether log lines are exported besides being written to stdout. */
  readonly exportsLogs: boolean;
  /** Whether the SDK takes the service's name from a variable. */
  readonly isServiceNamed: boolean;
  /** Whether the official instrumentation creates the spans of calls. */
  readonly instrumentsGrpc: boolean;
  /** Whether the SDK prints its own diagnostics. */
  readonly printsDiagnostics: boolean;
  readonly resourceDetectors: string;
}

const endpoint = 'an OTLP URL';
const exporters = 'comma-separated exporters, or `none`';

/** Reads OpenTelemetry's own variables. The SDK reports unknown values. */
export function readTelemetryConfig(environment: Environment): TelemetryConfig {
  const isDisabled = isTrue(
    environment.optionalText('OTEL_SDK_DISABLED', { format: '`true`', meaning: 'Switches telemetry off.' }),
  );
  const everything = environment.optionalText('OTEL_EXPORTER_OTLP_ENDPOINT', {
    format: endpoint,
    meaning: 'Collector of traces and metrics, and of logs if `OTEL_LOGS_EXPORTER` is set.',
  });
  const traces = environment.optionalText('OTEL_TRACES_EXPORTER', {
    format: exporters,
    meaning: 'Exporters of traces. Default: `otlp` if there is an endpoint.',
  });
  const tracesEndpoint = environment.optionalText('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', {
    format: endpoint,
    meaning: 'Collector of traces. Takes precedence over `OTEL_EXPORTER_OTLP_ENDPOINT`.',
  });
  const metrics = environment.optionalText('OTEL_METRICS_EXPORTER', {
    format: exporters,
    meaning:
      'Exporters of metrics. Default: `otlp` if there is an endpoint. `prometheus` serves ' +
      '`/metrics` on `OTEL_EXPORTER_PROMETHEUS_HOST` and `OTEL_EXPORTER_PROMETHEUS_PORT`.',
  });
  const metricsEndpoint = environment.optionalText('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', {
    format: endpoint,
    meaning: 'Collector of metrics. Takes precedence over `OTEL_EXPORTER_OTLP_ENDPOINT`.',
  });
  const logs = environment.optionalText('OTEL_LOGS_EXPORTER', {
    format: exporters,
    meaning:
      'Exporters of log lines, besides stdout. Default: `otlp` if there is a collector of logs. ' +
      '`OTEL_EXPORTER_OTLP_ENDPOINT` alone exports none.',
  });
  const logsEndpoint = environment.optionalText('OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', {
    format: endpoint,
    meaning: 'Collector of log lines. Takes precedence over `OTEL_EXPORTER_OTLP_ENDPOINT`.',
  });
  const serviceName = environment.optionalText('OTEL_SERVICE_NAME', {
    format: 'a name',
    meaning: "Name of the service in telemetry. Default: the name of the service's package.",
  });
  const attributes = environment.optionalText('OTEL_RESOURCE_ATTRIBUTES', {
    format: 'comma-separated key=value pairs',
    meaning: 'Attributes of the process in telemetry. `service.name` is the name of the service.',
  });
  const instrumentations = environment.optionalText('OTEL_NODE_ENABLED_INSTRUMENTATIONS', {
    format: 'comma-separated instrumentations',
    meaning: 'With `grpc` the official instrumentation creates the spans of calls.',
  });
  const logLevel = environment.optionalText('OTEL_LOG_LEVEL', {
    format: 'an OpenTelemetry log level',
    meaning: 'Level at which the SDK prints its own diagnostics. Default: its warnings are log lines.',
  });
  return {
    exportsTraces: !isDisabled && isExported(traces, everything ?? tracesEndpoint),
    exportsMetrics: !isDisabled && isExported(metrics, everything ?? metricsEndpoint),
    exportsLogs: !isDisabled && isExported(logs, logsEndpoint),
    isServiceNamed:
      serviceName !== undefined || list(attributes).some((each) => each.startsWith('service.name=')),
    instrumentsGrpc: list(instrumentations).includes('grpc'),
    printsDiagnostics: logLevel !== undefined,
    resourceDetectors: environment.text('OTEL_NODE_RESOURCE_DETECTORS', {
      format: 'comma-separated detectors',
      // Without the host detector, which is asynchronous: the Prometheus exporter logs a warning at each scrape.
      default: 'env,process,os,serviceinstance',
      meaning: 'Detectors of attributes of the process.',
    }),
  };
}

function isExported(named: string | undefined, endpoint: string | undefined): boolean {
  const exporters = list(named);
  return exporters.length > 0 ? !exporters.includes('none') : endpoint !== undefined;
}

function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}
