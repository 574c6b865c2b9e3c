import { errorText } from '../cli/fail.ts';
import { freePort } from './free-port.ts';

/**
 * Returns the variables with which a service serves its metrics on a port of this machine; 0 is any free port. A port that
 * is taken is reported as a step, and the service starts without metrics. `OTEL_METRICS_EXPORTER` of this process, if it
 * is set, takes precedence.
 */
export async function metricsVariables(
  name: string,
  port: number,
  onStep: (description: string) => void,
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
    onStep(`no metrics of ${name}: ${errorText(error)}`);
    return {};
  }
}
