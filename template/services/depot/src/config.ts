import { readEnvironment } from '@acme/rpc/environment';
import { readServerConfig, type ServerConfig } from '@acme/rpc/server/server-config';

export interface Config {
  readonly server: ServerConfig;
  /** `DATABASE_URL` */
  readonly databaseUrl: string;
}

/** @throws EnvironmentError that names every variable that is missing or not valid. */
export function readConfig(variables: NodeJS.ProcessEnv): Config {
  const environment = readEnvironment(variables);
  const config = {
    server: readServerConfig(environment, '0.0.0.0:59999'),
    databaseUrl: environment.url('DATABASE_URL', ['postgres', 'postgresql']),
  };
  environment.check();
  return config;
}
