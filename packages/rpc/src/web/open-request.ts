import type { Message } from '@bufbuild/protobuf';
import { base64Decode } from '@bufbuild/protobuf/wire';
import { hasRequestStream } from '../call/method-kind.ts';
import { Code, RpcError } from '../errors/rpc-error.ts';
import { asBuffer } from '../grpc-js/as-buffer.ts';
import { decodeRequest } from '../grpc-js/messages/decode-request.ts';
import { decompress } from '../grpc-js/messages/decompress.ts';
import { decodeJson } from './decode-json.ts';
import { oversized, prefixBytes, splitEnvelopes } from './envelopes.ts';
import { headerOf } from './http-messages.ts';
import { readChunks } from './read-chunks.ts';
import { createReceivedBytes } from './received-bytes.ts';
import type { WebCall } from './web-call.ts';

/** A message as it was sent, decompressed, and the bytes that it holds. */
interface ReceivedMessage {
  readonly bytes: Uint8Array;
  readonly heldBytes: number;
}

/**
 * Starts to read a call's request, with its bytes counted and limited. Returns the message or the stream of messages. Before
 * this call nothing is read from the body.
 */
export function openRequest(call: WebCall): Promise<Message> | AsyncIterable<Message> {
  return hasRequestStream(call.method.desc) ? decodeEach(call) : readOnly(call);
}

/** Reads the single message of a request, up to the end of its body. */
async function readOnly(call: WebCall): Promise<Message> {
  let only: Uint8Array | undefined;
  for await (const { bytes } of receivedMessages(call)) {
    if (only) throw new RpcError(Code.UNIMPLEMENTED, 'a second request message came for a unary request');
    only = bytes;
  }
  if (!only) throw new RpcError(Code.UNIMPLEMENTED, 'no request message came');
  const { message, sizeBytes } = decode(call, only);
  call.hold(sizeBytes);
  return message;
}

/** Decodes each message, and releases it when the handler requests the next one. */
async function* decodeEach(call: WebCall): AsyncGenerator<Message, void> {
  for await (const { bytes, heldBytes } of receivedMessages(call)) {
    const { message, sizeBytes } = decode(call, bytes);
    call.hold(sizeBytes);
    yield message;
    call.release(heldBytes + sizeBytes);
  }
}

function decode(call: WebCall, bytes: Uint8Array) {
  const { input } = call.method.desc;
  return call.form.isJson ? decodeJson(input, bytes, call.registry) : decodeRequest(input, bytes);
}

async function* receivedMessages(call: WebCall): AsyncGenerator<ReceivedMessage, void> {
  const { isEnveloped, query } = call.form;
  if (query) yield await inflated(call, queryMessage(query, call), call.form.encoding !== 'identity', 0);
  else if (!isEnveloped)
    yield await inflated(call, await wholeBody(call), call.form.encoding !== 'identity', 0);
  else
    for await (const { isCompressed, content } of splitEnvelopes(countedChunks(call), call.maxMessageBytes))
      yield await inflated(call, content, isCompressed, prefixBytes);
}

async function inflated(
  call: WebCall,
  content: Buffer,
  isCompressed: boolean,
  framingBytes: number,
): Promise<ReceivedMessage> {
  if (!isCompressed) return { bytes: content, heldBytes: content.length + framingBytes };
  const bytes = await decompress(content, call.form.encoding, call);
  call.hold(bytes.length);
  call.release(content.length);
  return { bytes, heldBytes: bytes.length + framingBytes };
}

async function* countedChunks(call: WebCall): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of readChunks(call.httpRequest, call.signal)) {
    call.hold(chunk.length);
    yield chunk;
  }
}

async function wholeBody(call: WebCall): Promise<Buffer> {
  const { maxMessageBytes } = call;
  if (Number(headerOf(call.httpRequest, 'content-length')) > maxMessageBytes)
    throw oversized(maxMessageBytes);
  const received = createReceivedBytes();
  for await (const chunk of countedChunks(call)) {
    received.append(chunk);
    if (received.sizeBytes > maxMessageBytes) throw oversized(maxMessageBytes);
  }
  return received.take(received.sizeBytes);
}

/** Returns the message of a GET request (Connect's Unary-Get-Request). Its size is limited with the header list. */
function queryMessage(query: URLSearchParams, call: WebCall): Buffer {
  const text = query.get('message') ?? '';
  const message = query.get('base64') === '1' ? decodeBase64(text) : Buffer.from(text);
  call.hold(message.length);
  return message;
}

function decodeBase64(text: string): Buffer {
  try {
    return asBuffer(base64Decode(text));
  } catch (cause) {
    throw new RpcError(Code.INVALID_ARGUMENT, 'the message of the query is not valid base64', { cause });
  }
}
