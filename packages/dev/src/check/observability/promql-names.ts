import { parser } from '@prometheus-io/lezer-promql';

/** What a query asks for by name. */
export interface PromqlNames {
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** Labels that results are grouped or matched by. */
  readonly grouping: readonly string[];
}

/** @throws Error when it is no PromQL. Grafana's own variables in place of durations are taken for five minutes. */
export function namesInPromql(query: string): PromqlNames {
  const text = query.replaceAll(/\$__\w+/g, '5m');
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter: (node) => {
      const name = text.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`no PromQL, at character ${node.from}: ${query}`);
      if (node.name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      const selector = selectors.at(-1);
      const parent = node.node.parent?.name;
      if (parent === 'VectorSelector' && node.name === 'Identifier' && selector) selector.metric = name;
      if (node.name === 'LabelName') {
        if (parent === 'GroupingLabels') grouping.push(name);
        else selector?.labels.push(name);
      }
    },
  });
  return { selectors, grouping };
}
