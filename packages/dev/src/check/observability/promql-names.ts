import { parser } from '@prometheus-io/lezer-promql';

/** The names in a query. */
export interface PromqlNames {
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** Labels by which results are grouped or matched. */
  readonly grouping: readonly string[];
}

/**
 * Parses a query. Grafana's variables for durations count as five minutes.
 *
 * @throws Error when the text is not PromQL.
 */
export function namesInPromql(query: string): PromqlNames {
  const text = query.replaceAll(/\$__\w+/g, '5m');
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter: (node) => {
      const name = text.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`not PromQL, at character ${node.from}: ${query}`);
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
