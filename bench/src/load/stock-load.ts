import { GetStockRequestSchema, InventoryService } from '@acme/gen/inventory/v1/inventory_service_pb';
import { connectRaw, grpcFrame } from '@acme/rpc/testing/raw-http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { unaryLoad } from './unary-load.ts';

const path = `/${InventoryService.typeName}/${InventoryService.method.getStock.name}`;
const frame = grpcFrame(toBinary(GetStockRequestSchema, create(GetStockRequestSchema, { sku: 'SAT-0001' })));

/** GetStock by 64 callers on 8 connections. */
export interface StockLoad {
  /** Calls answered OK, a second. */
  run(seconds: number): Promise<number>;
}

/** Throws when the server does not answer GetStock with OK. */
export async function prepareStockLoad(port: number, token: string): Promise<StockLoad> {
  const headers = {
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': '2S',
    authorization: `Bearer ${token}`,
  };
  await using connection = await connectRaw(`127.0.0.1:${port}`);
  const { code, message, body } = await connection.post(path, frame, headers);
  if (code !== 0) throw new Error(`GetStock is answered ${code} ${message}`);
  return {
    run: (seconds) =>
      unaryLoad(
        { port, path, headers, frame: frame.toString('hex'), connections: 8, streams: 8, seconds },
        body.length,
      ),
  };
}
