// The gRPC transport of NestJS. Decorators are called as functions, because Node strips types only.
import 'reflect-metadata';
import { freePort } from '@acme/dev/start';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, Transport } from '@nestjs/microservices';
import { protoFolders } from '../../clients/proto-folders.ts';
import { stockAnswer } from './stock-answer.ts';

class InventoryController {
  getStock({ sku }: { sku: string }) {
    const { stock } = stockAnswer(sku);
    return { stock: { ...stock, updateTime: { seconds: 1767225600, nanos: 0 } } };
  }
}
const { prototype } = InventoryController;
GrpcMethod('InventoryService', 'GetStock')(
  prototype,
  'getStock',
  Object.getOwnPropertyDescriptor(prototype, 'getStock') as PropertyDescriptor,
);
Controller()(InventoryController);
class InventoryModule {}
Module({ controllers: [InventoryController] })(InventoryModule);

// Nest does not report the port of `:0`.
const port = await freePort();
const app = await NestFactory.createMicroservice(InventoryModule, {
  transport: Transport.GRPC,
  logger: false,
  options: {
    package: 'inventory.v1',
    protoPath: 'inventory/v1/inventory_service.proto',
    url: `127.0.0.1:${port}`,
    loader: { includeDirs: protoFolders, longs: String },
  },
});
await app.listen();
process.send?.({ port });
