import type { Environment } from './environment.ts';

/**
 * Reads `NODE_ENV`, which is `development`, `test` or `production`. An absent one means production, so development has
 * to be asked for. Returns whether it is production: `test` permits what development permits.
 */
export function readProduction(environment: Environment): boolean {
  return (
    environment.exactlyOneOf('NODE_ENV', ['development', 'test', 'production'], 'production') === 'production'
  );
}
