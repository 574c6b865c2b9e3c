export { readQueries } from '../check/observability/check-observability.ts';
export { documentedMetrics } from '../check/observability/documented-metrics.ts';
export { codeBlocks, read } from '../docs/markdown.ts';
