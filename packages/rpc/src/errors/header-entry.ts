/** Returns the size of an entry of a header list as HTTP/2 counts it (RFC 9113, section 6.5.2). */
export function headerEntryBytes(name: string, valueBytes: number): number {
  return name.length + valueBytes + 32;
}
