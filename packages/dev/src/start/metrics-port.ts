import { freePort } from './free-port.ts';

/**
 * OpenTelemetry's variables that make a service show its metrics on a port of this machine; 0 for any that is free. One
 * that is taken is told, and not worth failing for: the service does without. What the caller's environment says of
 * `OTEL_METRICS_EXPORTER` stands.
 */
export async function metricsVariables(
  name: string,
  port: number,
  onStep: (what: string) => void,
): Promise<Record<string, string>> {
  try {
    const metricsPort = await freePort(port);
    const exporter = process.env.OTEL_METRICS_EXPORTER ?? 'prometheus';
    onStep(`metrics of ${name} on http://127.0.0.1:${metricsPort}/metrics`);
    return {
      OTEL_METRICS_EXPORTER: exporter,
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort),
    };
  } catch (error) {
    onStep(`no metrics of ${name}: ${error instanceof Error ? error.message : error}`);
    return {};
  }
}
