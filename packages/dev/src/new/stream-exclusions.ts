import type { ServiceFileEdit } from './service-file-edit.ts';

/** Edits of the queries of latency that exclude streams by name, because a stream has no objective of latency. */
export const streamExclusions: Readonly<Record<string, ServiceFileEdit>> = {
  'deploy/observability/prometheus/rules/slo.yml': excludeStreams,
  'deploy/observability/grafana/dashboards/golden-signals.json': excludeStreams,
};

function excludeStreams(text: string, { plan: { rpcs } }: Parameters<ServiceFileEdit>[1]): string {
  const streams = rpcs.filter(({ isStream }) => isStream);
  return text.replaceAll(
    /(rpc_method!~\\?"\.\*\/\()([^)]*)(?=\))/g,
    (_all, start: string, excluded: string) => {
      const isExcluded = new RegExp(`^(?:${excluded})$`);
      const added = streams.map(({ name }) => name).filter((name) => !isExcluded.test(name));
      return start + [excluded, ...added].join('|');
    },
  );
}
