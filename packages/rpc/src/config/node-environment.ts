import type { Environment } from './environment.ts';

/**
 * Reads `NODE_ENV` and returns whether it is `production`, which it is by default. `test` permits the same as
 * `development`.
 */
export function readProduction(environment: Environment): boolean {
  const nodeEnvironment = environment.exactlyOneOf('NODE_ENV', {
    choices: ['development', 'test', 'production'],
    default: 'production',
    meaning:
      'Production has no reflection and no channelz, and rejects development keys, development certificates, and ' +
      'plain text between machines. `test` permits the same as `development`.',
  });
  return nodeEnvironment === 'production';
}
