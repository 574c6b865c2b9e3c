import { readEnvironment } from '@acme/rpc/config';
import { readConfig } from './config.ts';

// The program that the tests' deployments start. It reads its configuration, and serves nothing.
readConfig(readEnvironment(process.env));
