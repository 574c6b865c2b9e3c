import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';

/**
 * The fields of a message, all of them required. Code that maps to it sets every field, so a new field of the contract is an
 * error of the compiler there.
 */
export type MessageFields<Desc extends DescMessage> = Required<
  Omit<MessageInitShape<Desc>, '$typeName' | '$unknown'>
>;
