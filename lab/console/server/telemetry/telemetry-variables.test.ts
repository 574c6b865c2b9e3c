import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { telemetryVariables } from './telemetry-variables.ts';

const composeFile = new URL('../../../../deploy/compose/console.yaml', import.meta.url);

test('the services in containers export as those of npm start do, and to Prometheus', async () => {
  const yaml = await readFile(composeFile, 'utf8');
  const [, block = ''] = /^x-telemetry: &telemetry\n((?: .*\n)+)/m.exec(yaml) ?? [];
  const variables = Object.fromEntries(
    [...block.matchAll(/^ +(\w+): (.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  expect(variables).toEqual({
    ...telemetryVariables(''),
    OTEL_EXPORTER_OTLP_ENDPOINT: expect.stringContaining('http://console:4318'),
    OTEL_METRICS_EXPORTER: 'otlp,prometheus',
    // Stay with the console when the traces go elsewhere.
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://console:4318/v1/metrics',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://console:4318/v1/logs',
  });
});
