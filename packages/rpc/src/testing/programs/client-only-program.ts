/** Makes a call to an address without a server. Unlike a server it imports grpc-js only as ESM. */

import '../../telemetry/register.ts';
import { createClient } from '../../client/create-client.ts';
import { shutdownTelemetry } from '../../telemetry/telemetry.ts';
import { EchoService } from '../gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../rejection-of.ts';

{
  using client = createClient(EchoService, { target: 'unix:/no/server/here.sock' });
  await rejectionOf(client.putEchoes({}));
}
await shutdownTelemetry();
process.exit();
