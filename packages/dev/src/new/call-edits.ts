import { type Document, isMap, isScalar, isSeq } from 'yaml';
import { editYaml } from '../repository/edit-yaml.ts';
import { projectName } from '../repository/project.ts';
import type { CalledService } from './plan-service.ts';
import type { ServiceFileEdit } from './service-file-edit.ts';

/** Edits of the deployments of a service that a new service calls: it accepts the certificate and the packets of its caller. */
export function callEdits({ name, scopes }: CalledService): Readonly<Record<string, ServiceFileEdit>> {
  const peer = (caller: string, domain: string) =>
    `spiffe://${projectName}.${domain}/${caller}=${scopes.join(' ')}`;
  const overlay = (environment: string, domain: string): Record<string, ServiceFileEdit> => ({
    [`deploy/kubernetes/overlays/${environment}/kustomization.yaml`]: (text, { plan: { service } }) =>
      editYaml(text, (document) => addPeer(document, name, peer(service, domain))),
  });
  return {
    [`deploy/compose/services/${name}.yaml`]: (text, { plan: { service } }) =>
      editYaml(text, (document) => {
        const path = ['services', name, 'environment', 'AUTH_PEERS'];
        document.setIn(path, joined(document.getIn(path), peer(service, 'invalid')));
      }),
    [`deploy/kubernetes/base/${name}/networkpolicy.yaml`]: (text, { plan: { service } }) =>
      editYaml(text, (document) => {
        const inOneLine = (value: object) => document.createNode(value, { flow: true });
        const rule = {
          from: [{ podSelector: { matchLabels: inOneLine({ 'app.kubernetes.io/name': service }) } }],
          ports: [inOneLine({ port: 'grpc' })],
        };
        document.addIn(['spec', 'ingress'], document.createNode(rule));
      }),
    ...overlay('development', 'invalid'),
    ...overlay('production', 'example'),
  };
}

/** Adds a caller to the `peers` of an overlay, which has one literal for each called service. */
function addPeer(document: Document, called: string, peer: string): void {
  const generators = document.get('configMapGenerator');
  const peers = isSeq(generators)
    ? generators.items.filter(isMap).find((each) => each.get('name') === 'peers')
    : undefined;
  const literals = peers?.get('literals');
  if (!isSeq(literals)) throw new Error('no literals of the ConfigMap peers');
  const literal = literals.items
    .filter(isScalar)
    .find(({ value }) => typeof value === 'string' && value.startsWith(`${called}=`));
  if (literal) literal.value = joined(literal.value, peer);
  else literals.add(`${called}=${peer}`);
}

function joined(list: unknown, peer: string): string {
  return list ? `${list}; ${peer}` : peer;
}
