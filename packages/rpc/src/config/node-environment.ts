import type { Environment } from './environment.ts';

/**
 * Reads `NODE_ENV`, which is `development`, `test` or `production`. An absent one means production, so development has
 * to be asked for. Returns whether it is production: `test` permits what development permits.
 */
export function readProduction(environment: Environment): boolean {
  const nodeEnvironment = environment.exactlyOneOf('NODE_ENV', {
    choices: ['development', 'test', 'production'],
    default: 'production',
    meaning:
      'Production has no reflection and no channelz, and refuses development keys and certificates, and plain text ' +
      'between machines. `test` permits what `development` permits.',
  });
  return nodeEnvironment === 'production';
}
