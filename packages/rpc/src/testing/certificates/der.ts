/** The part of DER (ITU-T X.690) that a certificate takes: each value is a tag, its length, and the content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

export const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
export const setOf = (...contents: readonly Uint8Array[]) => der(0x31, ...contents);
export const octetString = (...contents: readonly Uint8Array[]) => der(0x04, ...contents);
export const utf8String = (text: string) => der(0x0c, Buffer.from(text, 'utf8'));
export const trueValue = der(0x01, Buffer.from([0xff]));

/** A whole number that is not negative, most significant octet first. */
export function integer(octets: Uint8Array): Buffer {
  // A leading one-bit would make it negative.
  return der(0x02, octets[0] !== undefined && octets[0] > 0x7f ? Buffer.from([0]) : Buffer.alloc(0), octets);
}

/** @param unusedBits How many bits at the end do not count. */
export function bitString(octets: Uint8Array, unusedBits = 0): Buffer {
  return der(0x03, Buffer.from([unusedBits]), octets);
}

/** @param dotted As `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** As RFC 5280 (4.1.2.5) wants it: two-digit years until 2049, four digits from 2050. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`;
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : der(0x18, Buffer.from(digits, 'ascii'));
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  return [0x80 | octets.length, ...octets];
}

function base128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return octets;
}
