export { composeCommand } from '../check/compose/compose-command.ts';
export { readDocumentedMetrics } from '../check/observability/documented-metrics.ts';
export { readQueries } from '../check/observability/read-queries.ts';
export { codeBlocks, read } from '../docs/markdown.ts';
