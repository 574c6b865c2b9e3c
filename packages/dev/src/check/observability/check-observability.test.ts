import { expect, test } from 'vitest';
import { checkObservability, queryProblems } from './check-observability.ts';
import { documentedMetrics } from './documented-metrics.ts';
import { namesInPromql } from './promql-names.ts';

const metrics = documentedMetrics(`
| \`rpc.call.duration\` | histogram | s | \`rpc.method\` | time |
| \`orders.placed\` | counter | {order} | | orders |
| \`pool.size\` | gauge | 1 | \`pool.name\`, \`state\` | size |
`);
const problemsOf = (query: string) =>
  queryProblems([{ place: 'here', query }], { metrics, records: new Set(['job:slo:rate5m']) });

test.each([
  'sum by (job, rpc_method, le) (rate(rpc_call_duration_bucket{job=~"$job", le="0.5"}[$__rate_interval]))',
  'rate(orders_placed_total{instance="a"}[5m]) / on (job) group_left () job:slo:rate5m{job="orders"}',
  'max(pool_size{pool_name="a", state!="idle"}) > 0 and up == 0',
])('a query of documented metrics and labels has no problems: %s', (query) => {
  expect(problemsOf(query)).toEqual([]);
});

test.each([
  ['orders_placed', 'here: the documents list no metric orders_placed'],
  ['rpc_call_duration', 'here: the documents list no metric rpc_call_duration'],
  ['job:slo:rate1h', 'here: the documents list no metric job:slo:rate1h'],
  ['orders_placed_total{sku="A"}', 'here: orders_placed_total has no label sku'],
  ['rpc_call_duration_count{le="1"}', 'here: rpc_call_duration_count has no label le'],
  ['sum by (state) (orders_placed_total)', 'here: nothing in the query has a label state'],
])('a query of a metric or label that no service exports is a problem: %s', (query, problem) => {
  expect(problemsOf(query)).toEqual([problem]);
});

test('a query that is not PromQL is rejected', () => {
  expect(() => namesInPromql('sum by job (up')).toThrow('not PromQL');
});

test('the dashboards and alerts of this repository query documented metrics alone', () => {
  expect(checkObservability()).toBeUndefined();
});
