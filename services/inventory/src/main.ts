// Must come first: it instruments modules as they are loaded.
import '@acme/rpc/telemetry/register';

import { readEnvironment } from '@acme/rpc/config';
import { runUntilSignal } from '@acme/rpc/server';
import { startApp } from './app.ts';
import { readConfig } from './config.ts';

await runUntilSignal(async () => startApp(readConfig(readEnvironment(process.env))));
