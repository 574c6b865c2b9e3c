// node:http2 with gRPC framing and protobuf-es only: the upper bound for every library on Node.
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { grpcFrame } from '@acme/rpc/testing';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { stockAnswer } from './stock-answer.ts';

const { getStock } = InventoryService.method;
const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    const { sku } = fromBinary(getStock.input, Buffer.concat(chunks).subarray(5));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(grpcFrame(toBinary(getStock.output, create(getStock.output, stockAnswer(sku)))));
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
process.send?.({ port: (server.address() as AddressInfo).port });
