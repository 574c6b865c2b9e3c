import type { ServiceEntry } from '@acme/dev/services';
import { GreetingService } from './gen/greeting/v1/greeting_service_pb.ts';

export const services: readonly ServiceEntry[] = [
  {
    name: 'greeting',
    descriptor: GreetingService,
    port: 50061,
    metricsPort: 9474,
    hasDatabase: false,
    calls: {},
    examples: [{ method: 'Greet', request: { name: 'Ada' } }],
  },
];
