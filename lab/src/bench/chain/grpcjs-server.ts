// grpc-js without interceptors, as in its documentation.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { getStockMethod } from './grpcjs-method.ts';
import { stockAnswer } from './stock-answer.ts';

const server = new Server();
server.addService(
  { getStock: getStockMethod },
  {
    getStock: (
      call: { request: { sku: string } },
      callback: (error: null, answer: ReturnType<typeof stockAnswer>) => void,
    ) => callback(null, stockAnswer(call.request.sku)),
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ port });
});
