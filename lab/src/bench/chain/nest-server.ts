// The gRPC transport of NestJS. Decorators are called as functions, because Node strips types only.
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { freePort } from '@acme/dev/start';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, Transport } from '@nestjs/microservices';
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
const protoFolder = fileURLToPath(new URL('../../../../proto', import.meta.url));
const app = await NestFactory.createMicroservice(InventoryModule, {
  transport: Transport.GRPC,
  logger: false,
  options: {
    package: 'inventory.v1',
    protoPath: 'inventory/v1/inventory_service.proto',
    url: `127.0.0.1:${port}`,
    loader: { includeDirs: [protoFolder], longs: String },
  },
});
await app.listen();
process.send?.({ port });
