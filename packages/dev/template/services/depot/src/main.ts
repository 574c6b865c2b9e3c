// Must come first: it instruments modules as they are loaded.
import '@acme/rpc/telemetry/register';

import { readEnvironment } from '@acme/rpc/config/environment';
import { runUntilSignal } from '@acme/rpc/server/run-until-signal';
import { startApp } from './app.ts';
import { readConfig } from './config.ts';

await runUntilSignal(async () => startApp(readConfig(readEnvironment(process.env))));
