import { createClient } from '@connectrpc/connect';
import { SpanKind, trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { EchoService } from '../testing/gen/testing/v1/echo_service_pb.ts';
import { startTestServer } from '../testing/start-test-server.ts';
import { collectTelemetry } from '../testing/telemetry/collect-telemetry.ts';
import { webProtocols } from '../testing/web/web-clients.ts';

const systemNames = { connect: 'connectrpc', grpc_web: 'grpc_web' };

test.each(webProtocols)(
  '$name is one span and one measurement, which name the protocol',
  async ({ protocol, transport }) => {
    await using telemetry = collectTelemetry();
    const traceIds: string[] = [];
    await using server = await startTestServer(
      EchoService,
      {
        getEcho: async () => {
          traceIds.push(trace.getActiveSpan()?.spanContext().traceId ?? '');
          return {};
        },
      },
      { web: {} },
    );
    await createClient(EchoService, transport(server.webUrl)).getEcho({ key: 'A' });
    const spans = await telemetry.spansOf(traceIds[0] ?? '', SpanKind.SERVER);
    expect(spans).toMatchObject([
      {
        name: 'testing.v1.EchoService/GetEcho',
        attributes: { 'rpc.system.name': systemNames[protocol], 'rpc.status_code': 'OK' },
      },
    ]);
    const points = await telemetry.points('rpc.server.call.duration');
    expect(points).toMatchObject([{ attributes: { 'rpc.system.name': systemNames[protocol] } }]);
  },
);
