import { Metadata, type MetadataValue } from '@grpc/grpc-js';
import type { Header } from '../gen/connectrpc/conformance/v1/service_pb.ts';

type HeaderValues = Pick<Header, 'name' | 'value'>;

/** Adds the suite's headers to metadata. The suite writes values of keys that end in `-bin` in base64. */
export function addHeaders(metadata: Metadata, headers: readonly Header[]): Metadata {
  for (const { name, value } of headers) for (const each of value) metadata.add(name, fromText(name, each));
  return metadata;
}

export function toMetadata(headers: readonly Header[]): Metadata {
  return addHeaders(new Metadata(), headers);
}

/** Converts the suite's headers to the metadata of a call of @acme/rpc. */
export function toRecord(headers: readonly Header[]): Record<string, MetadataValue[]> {
  const metadata = toMetadata(headers);
  return Object.fromEntries(Object.keys(metadata.getMap()).map((name) => [name, metadata.get(name)]));
}

export function toHeaders(metadata: Metadata): HeaderValues[] {
  return Object.keys(metadata.getMap()).map((name) => ({ name, value: metadata.get(name).map(toText) }));
}

function fromText(name: string, text: string): MetadataValue {
  return name.toLowerCase().endsWith('-bin') ? Buffer.from(text, 'base64') : text;
}

function toText(value: MetadataValue): string {
  return typeof value === 'string' ? value : value.toString('base64').replace(/=+$/, '');
}
