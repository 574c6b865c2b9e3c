// The gRPC transport of NestJS. Decorators are called as functions, because Node strips types only.
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { root } from '@acme/dev/repository';
import { freePort } from '@acme/dev/start';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
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
// Compiled by buf: protobufjs, with which Nest reads .proto files, rejects a list of messages in an option.
const contract = execFileSync('buf', ['build', '--as-file-descriptor-set', '--output', '-'], { cwd: root });
const app = await NestFactory.createMicroservice(InventoryModule, {
  transport: Transport.GRPC,
  logger: false,
  options: {
    package: 'inventory.v1',
    packageDefinition: loadFileDescriptorSetFromBuffer(contract, { longs: String }),
    url: `127.0.0.1:${port}`,
  },
});
await app.listen();
process.send?.({ port });
