import type { DescEnum, DescMessage, DescMethod, DescService } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { compileDescriptors } from '../../descriptors/compile.ts';
import { descriptorsOf, type ServiceEntry } from '../../repository/service-entry.ts';
import { wellKnownSchema } from './json-schema.ts';

/** The contract of one entry of services.ts, with the comments of its source. */
export interface ServiceContract {
  readonly name: string;
  readonly services: readonly DescService[];
  /** Messages of requests and responses, and those in their fields, each after the message that uses it first. */
  readonly messages: readonly DescMessage[];
  readonly enums: readonly DescEnum[];
}

/**
 * Compiles the contracts of the listed services. Descriptors in generated code have no comments.
 *
 * @throws Error when the contract in `folder` does not compile, or lacks a service.
 */
export function serviceContracts(folder: string, entries: readonly ServiceEntry[]): ServiceContract[] {
  if (entries.length === 0) return [];
  const registry = compileDescriptors(folder);
  return entries.map((entry) => {
    const services = descriptorsOf(entry).map(({ typeName }) => {
      const service = registry.getService(typeName);
      if (!service) throw new Error(`services.ts lists ${typeName}, which buf.yaml's modules do not have`);
      return service;
    });
    return { name: entry.name, services, ...reachableTypes(services.flatMap(({ methods }) => methods)) };
  });
}

/** Returns the types of the requests and responses of these methods, and those in their fields. */
export function reachableTypes(methods: readonly DescMethod[]): Pick<ServiceContract, 'messages' | 'enums'> {
  const messages = new Set<DescMessage>();
  const enums = new Set<DescEnum>();
  const add = (message: DescMessage) => {
    if (messages.has(message) || isWellKnown(message)) return;
    messages.add(message);
    for (const field of message.fields) {
      if (field.enum && !isWellKnown(field.enum)) enums.add(field.enum);
      if (field.message) add(field.message);
    }
  };
  for (const { input, output } of methods) {
    add(input);
    add(output);
  }
  return { messages: [...messages], enums: [...enums] };
}

/** Whether a type is one of protobuf's own that has a form of its own in JSON. */
export function isWellKnown({ typeName }: DescMessage | DescEnum): boolean {
  return wellKnownSchema(typeName) !== undefined;
}

/** Whether the method may be called by GET on the Connect port. */
export function isGet({ methodKind, idempotency }: DescMethod): boolean {
  return methodKind === 'unary' && idempotency === Level.NO_SIDE_EFFECTS;
}

/** Name of a type in documents: without its package if that is the service's own. */
export function shortName({ typeName }: DescMessage | DescEnum, { services }: ServiceContract): string {
  const packages = services.map(({ file }) => `${file.proto.package}.`);
  const own = packages.find((each) => typeName.startsWith(each));
  return own && packages.every((each) => each === own) ? typeName.slice(own.length) : typeName;
}
