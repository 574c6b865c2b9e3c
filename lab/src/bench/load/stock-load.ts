import { GetStockRequestSchema, InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { methodPath } from '@acme/rpc/contract';
import { connectRaw, grpcFrame } from '@acme/rpc/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import { type UnaryOutcome, unaryLoad } from './unary-load.ts';

const path = methodPath(InventoryService.method.getStock);
const frame = grpcFrame(toBinary(GetStockRequestSchema, create(GetStockRequestSchema, { sku: 'SAT-0001' })));

const maxConnections = 8;

export interface StockLoad {
  /** Calls GetStock with 64 callers on 8 connections. */
  run(seconds: number): Promise<UnaryOutcome>;
  /** Calls GetStock with this many callers on up to 8 connections. Returns the p99, too. */
  timed(callers: number, seconds: number): Promise<UnaryOutcome>;
}

/** Prepares the load for a server. Throws if GetStock does not return OK. */
export async function prepareStockLoad(port: number, token: string): Promise<StockLoad> {
  const headers = {
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '2S',
    authorization: `Bearer ${token}`,
  };
  await using connection = await connectRaw(`127.0.0.1:${port}`);
  const { code, message, body } = await connection.post(path, frame, headers);
  if (code !== 0) throw new Error(`GetStock returned ${code} ${message}`);
  const ask = { port, path, headers, frame: frame.toString('hex') };
  return {
    run: (seconds) =>
      unaryLoad({ ...ask, connections: maxConnections, streams: 8, seconds, isTimed: false }, body.length),
    timed: (callers, seconds) => {
      const connections = Math.min(callers, maxConnections);
      const streams = Math.ceil(callers / connections);
      return unaryLoad({ ...ask, connections, streams, seconds, isTimed: true }, body.length);
    },
  };
}
