import type { ServiceImplementation } from '@acme/rpc/server';
import type { GreetingService } from '../../../gen/greeting/v1/greeting_service_pb.ts';

export const greetings: ServiceImplementation<typeof GreetingService> = {
  greet: async ({ name }, { principal }) => ({ text: `${principal.subject} greets ${name}` }),
};
