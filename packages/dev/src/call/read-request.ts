import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { hasRequestStream } from '@acme/rpc/contract';
import { type DescMethod, fromJsonString, type Message } from '@bufbuild/protobuf';
import { reject } from '../cli/reject.ts';

/** Stands for stdin in the place of the request. */
const stdinMark = '-';

/** Editors on Windows begin a file with it. `text` removes it, and readline does not. */
const byteOrderMark = /^\uFEFF/;

/**
 * Returns the request in JSON: that of the command line, or else of stdin, where a method with a stream of requests reads one
 * per line. Without either it is the empty message. Field names are those of the contract or of its JSON.
 *
 * @throws Error for JSON on stdin that is not the request. Rejects the command line if it is there.
 */
export async function readRequest(
  method: DescMethod,
  json: string | undefined,
): Promise<Message | AsyncIterable<Message>> {
  const isOnStdin = json === stdinMark;
  if (hasRequestStream(method) && (isOnStdin || json === undefined)) return messagesOnStdin(method);
  const message = isOnStdin
    ? fromJson(method, await text(process.stdin), 'stdin')
    : fromArgument(method, json ?? '{}');
  return hasRequestStream(method) ? only(message) : message;
}

async function* only(message: Message) {
  yield message;
}

async function* messagesOnStdin(method: DescMethod) {
  if (process.stdin.isTTY) process.stderr.write('reading a request per line; Ctrl-D ends them\n');
  let number = 0;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    number += 1;
    const json = number === 1 ? line.replace(byteOrderMark, '') : line;
    if (json.trim() !== '') yield fromJson(method, json, `line ${number}`);
  }
}

function fromArgument(method: DescMethod, json: string): Message {
  try {
    return fromJsonString(method.input, json);
  } catch (error) {
    return reject(`JSON: ${(error as Error).message}`);
  }
}

function fromJson(method: DescMethod, json: string, where: string): Message {
  try {
    return fromJsonString(method.input, json);
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}
