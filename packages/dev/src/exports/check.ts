export { readDocumentedMetrics } from '../check/observability/documented-metrics.ts';
export { readQueries } from '../check/observability/read-queries.ts';
export { codeBlocks, read } from '../docs/markdown.ts';
