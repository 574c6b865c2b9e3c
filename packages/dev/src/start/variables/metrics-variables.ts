import { errorText } from '../../cli/fail.ts';
import { freePort } from '../process/free-port.ts';

export interface MetricsOptions {
  /** The exporter that the console needs besides. */
  readonly exporter: string | undefined;
  readonly onStep: (description: string) => void;
}

/**
 * Returns the variables with which a service serves its metrics on a port of this machine; 0 is any free port. A port that
 * is taken is reported as a step, and the service starts without metrics. `OTEL_METRICS_EXPORTER` of this process, if it
 * is set, takes precedence.
 */
export async function metricsVariables(
  name: string,
  port: number,
  { exporter, onStep }: MetricsOptions,
): Promise<Record<string, string>> {
  try {
    const metricsPort = await freePort(port, `--${name}-metrics-port N`);
    const exporters = exporter === undefined ? 'prometheus' : `${exporter},prometheus`;
    onStep(`metrics of ${name} on http://127.0.0.1:${metricsPort}/metrics`);
    return {
      OTEL_METRICS_EXPORTER: process.env.OTEL_METRICS_EXPORTER ?? exporters,
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort),
    };
  } catch (error) {
    onStep(`no metrics of ${name}: ${errorText(error)}`);
    return {};
  }
}
