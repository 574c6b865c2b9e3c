// Must come first: it instruments modules as they are loaded.
import '@acme/rpc/telemetry/register';

import { readEnvironment } from '@acme/rpc/config';
import { createLogger } from '@acme/rpc/logging';
import { readServerConfig, runUntilSignal, serve, startService } from '@acme/rpc/server';
import { GreetingService } from '../../../gen/greeting/v1/greeting_service_pb.ts';
import { greetings } from './greetings.ts';

await runUntilSignal(async () => {
  const environment = readEnvironment(process.env);
  const config = readServerConfig(environment, '0.0.0.0:50061');
  environment.check();
  const service = await startService({
    config,
    log: createLogger({ service: 'greeting', level: config.logLevel }),
    services: [serve(GreetingService, greetings)],
    errorMap: () => undefined,
    checkReadiness: async () => {},
  });
  return { closeTimeoutMs: service.closeTimeoutMs, close: () => service.drain() };
});
