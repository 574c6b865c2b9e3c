/** Most of these end the HTTP/2 connection with every call on it, because node:http2 throws. */
const connectionKeys = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** `Header-Name` of gRPC's HTTP/2 protocol. Upper case is accepted and sent as lower case. */
const keyPattern = /^[0-9a-z_.-]+$/;

/** Returns why a metadata key, in lower case, cannot be sent; undefined for one that can. */
export function keyProblem(key: string): string | undefined {
  if (!keyPattern.test(key)) return 'a key has only letters, digits, "_", "-" and "."';
  if (connectionKeys.has(key)) return 'it belongs to the HTTP connection';
  if (key === 'content-type' || key.startsWith('grpc-')) return 'it is reserved';
  return undefined;
}
