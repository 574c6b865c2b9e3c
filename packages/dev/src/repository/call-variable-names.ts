import type { ServiceEntry } from './service-entry.ts';

/** Names of the variables from which a service reads how it calls another one. */
export interface CallVariableNames {
  /** Variable of the target. */
  readonly target: string;
  /** Variable of the file with the token, whose only audience is the called service. */
  readonly tokenFile: string;
}

/** Returns the names by called service. `AUTH_TOKEN_FILE` is for the first one, and `NAME_TOKEN_FILE` for each further one. */
export function callVariableNames(calls: ServiceEntry['calls']): ReadonlyMap<string, CallVariableNames> {
  const names = Object.keys(calls).map((name, index): [string, CallVariableNames] => {
    const prefix = name.toUpperCase();
    return [
      name,
      {
        target: `${prefix}_TARGET`,
        tokenFile: index === 0 ? 'AUTH_TOKEN_FILE' : `${prefix}_TOKEN_FILE`,
      },
    ];
  });
  return new Map(names);
}
