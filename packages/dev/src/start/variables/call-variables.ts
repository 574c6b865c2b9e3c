import { join } from 'node:path';
import { writeAtomically } from '../../cli/write-atomically.ts';
import type { DevelopmentKeys } from '../../credentials/development-keys.ts';
import { callVariableNames } from '../../repository/call-variable-names.ts';
import type { ServiceEntry } from '../../repository/service-entry.ts';
import { targetOf } from '../../repository/services-access.ts';

const daySeconds = 24 * 60 * 60;

export interface CallOptions {
  /** The tokens are written to its folder `keys`. */
  readonly dataFolder: string;
  readonly targets: Readonly<Record<string, string>>;
  readonly keys: DevelopmentKeys;
}

/**
 * Returns the variables with which a service calls others: the target of each, and the file of a token whose only audience
 * it is.
 */
export async function callVariables(
  { name, calls }: Pick<ServiceEntry, 'name' | 'calls'>,
  { dataFolder, targets, keys }: CallOptions,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [audience, names] of callVariableNames(calls)) {
    const scopes = calls[audience] ?? [];
    const token = await keys.sign({ audience, subject: name, scopes, ttlSeconds: 30 * daySeconds });
    const tokenFile = join(dataFolder, 'keys', `${name}-${audience}.token`);
    await writeAtomically(tokenFile, token, 0o600);
    variables[names.target] = targetOf({ targets }, audience);
    variables[names.tokenFile] = tokenFile;
  }
  return variables;
}
