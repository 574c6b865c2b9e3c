/** Files of every project that `npm pack` puts into the kit, and `generate` writes into a project that installs it. */
export const projectFiles = [
  'deploy/observability/grafana/dashboards/golden-signals.json',
  'deploy/observability/prometheus/rules/services.yml',
  'deploy/observability/prometheus/rules/slo.yml',
  'docs/evolve-a-schema.md',
  'docs/keys.md',
  'docs/new-service.md',
  'docs/telemetry.md',
];
