import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../repository/paths.ts';

const folder = 'deploy/kubernetes/components/prometheus-operator';

/** File of Prometheus's rules as objects of the Prometheus operator. kustomize cannot read the rules outside of its folder. */
export const prometheusRulesFile = `${folder}/rules.yaml`;

/** Returns `prometheusRulesFile`, or no file when there are no manifests. */
export function printPrometheusRules(): Map<string, string> {
  if (!existsSync(join(root, folder))) return new Map();
  const objects = globSync('deploy/observability/prometheus/rules/*.yml', { cwd: root })
    .sort()
    .map((file) => prometheusRule(basename(file, '.yml'), readFileSync(join(root, file), 'utf8')));
  const text = `# Generated from deploy/observability/prometheus/rules by npm run generate.\n${objects.join('---\n')}`;
  return new Map([[prometheusRulesFile, text]]);
}

function prometheusRule(name: string, rules: string): string {
  return `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ${name}
spec:
${rules.replaceAll(/^(?=.)/gm, '  ').trimEnd()}
`;
}
