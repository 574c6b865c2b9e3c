import { projectName } from '../repository/project.ts';
import { addToList } from './add-to-list.ts';
import type { ServiceFileEdit } from './service-file-edit.ts';

const kubernetes = 'deploy/kubernetes';

/** Edits of the lists of deployments that name the file of every service. */
export const deploymentLists: Readonly<Record<string, ServiceFileEdit>> = {
  'docker-compose.yml': listed(
    ['include', 0, 'path'],
    (service) => `deploy/compose/services/${service}.yaml`,
  ),
  [`${kubernetes}/base/kustomization.yaml`]: listed(['resources'], (service) => service),
  [`${kubernetes}/components/cert-manager/kustomization.yaml`]: listed(
    ['resources'],
    (service) => `${service}.yaml`,
  ),
  [`${kubernetes}/components/cloudnative-pg/kustomization.yaml`]: listed(
    ['resources'],
    (service) => `${service}.yaml`,
  ),
  [`${kubernetes}/components/cloudnative-pg/cluster.yaml`]: listed(
    ['spec', 'managed', 'roles'],
    (service) => ({
      name: service,
      login: true,
      passwordSecret: { name: `${service}-role` },
    }),
  ),
  [`${kubernetes}/overlays/development/kustomization.yaml`]: listed(['images'], (service) => ({
    name: `${projectName}-${service}`,
    newTag: 'dev',
  })),
  [`${kubernetes}/overlays/production/kustomization.yaml`]: listed(['images'], (service) => ({
    name: `${projectName}-${service}`,
    newName: `registry.example/${projectName}/${service}`,
    newTag: '0.1.0',
  })),
};

function listed(path: readonly (string | number)[], itemOf: (service: string) => unknown): ServiceFileEdit {
  return (text, { plan: { service } }) => addToList(text, path, itemOf(service));
}
