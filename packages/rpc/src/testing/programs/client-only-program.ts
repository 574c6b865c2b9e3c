/** Makes a call that nobody answers. Unlike a server it imports grpc-js as a module of ESM only. */

import '../../telemetry/register.ts';
import { createClient } from '../../client/create-client.ts';
import { shutdownTelemetry } from '../../telemetry/telemetry.ts';
import { EchoService } from '../gen/testing/v1/echo_service_pb.ts';
import { rejectionOf } from '../rejection-of.ts';

{
  using client = createClient(EchoService, { target: 'unix:/nobody/listens/here.sock' });
  await rejectionOf(client.putEchoes({}));
}
await shutdownTelemetry();
process.exit();
