// First: what it instruments must not have been loaded yet.
import '@acme/rpc/telemetry/register';

import { readEnvironment } from '@acme/rpc/config/environment';
import { runUntilSignal } from '@acme/rpc/server/run-until-signal';
import { startApp } from './app.ts';
import { readConfig } from './config.ts';

await runUntilSignal(async () => startApp(readConfig(readEnvironment(process.env))));
