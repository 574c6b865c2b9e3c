/** Index of the newest entry of the dynamic table (RFC 7541, section 2.3.3). */
export const newestDynamicIndex = 62;

/** Encodes a field by its index in the tables (RFC 7541, section 6.1). */
export function indexedField(index: number): Buffer {
  return integer(index, 7, 0x80);
}

/** Encodes a field and inserts it into the receiver's dynamic table (section 6.2.1). */
export function insertedField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

/** Encodes a field without inserting it (section 6.2.2). Strings are sent as Latin-1 bytes. */
export function literalField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x00]), text(name), text(value)]);
}

function literalFields(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(fields).map(([name, value]) => literalField(name, value)));
}

/** Returns the header block of a plaintext gRPC request. */
export function requestFields(path: string, more: Readonly<Record<string, string>> = {}): Buffer {
  return literalFields({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'localhost',
    te: 'trailers',
    'content-type': 'application/grpc',
    ...more,
  });
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** Encodes an integer (RFC 7541, section 5.1). */
function integer(value: number, prefixBits: number, pattern: number): Buffer {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return Buffer.from([pattern | value]);
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
