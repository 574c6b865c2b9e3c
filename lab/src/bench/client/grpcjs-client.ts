// grpc-js with a promise around its callback.
import { GetStockRequestSchema } from '@acme/gen/inventory/v1/inventory_service_pb';
import { create } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { getStockMethod } from '../chain/grpcjs-method.ts';
import { runCallers } from './run-callers.ts';

const [target = '', token = ''] = process.argv.slice(2);
const client = new Client(target, credentials.createInsecure());
const { path, requestSerialize, responseDeserialize } = getStockMethod;
await runCallers(
  () =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${token}`);
      const request = create(GetStockRequestSchema, { sku: 'SAT-0001' });
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + 10_000 },
        (error, response) => (error ? reject(error) : resolve(response?.stock as { sku: string })),
      );
    }),
);
