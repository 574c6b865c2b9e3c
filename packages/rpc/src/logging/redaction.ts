/** Replacement of a secret. */
export const redacted = '[Redacted]';

const secretName =
  /(authorization|passw(or)?d|pwd|passphrase|secret|token|jwt|cookie|apikey|privatekey|credential)s?$/;

/** Cached results of `isSecretName`. Its size is limited, because callers can invent names. */
const knownNames = new Map<string, boolean>();
const maxKnownNames = 1000;
const maxNameLength = 64;

/** Returns whether a field of this name holds a secret: `Authorization`, `access_token`, `x-api-key`, `setCookie`. */
export function isSecretName(name: string): boolean {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const end = name.slice(-maxNameLength).toLowerCase();
  const isSecret = secretName.test(end.replaceAll(/[^a-z\d]/g, ''));
  if (knownNames.size >= maxKnownNames) knownNames.clear();
  if (name.length <= maxNameLength) knownNames.set(name, isSecret);
  return isSecret;
}

/**
 * Returns whether the JSON contains a character without which no pattern matches. The lines of most calls contain none,
 * and searching for a character costs a tenth of a regular expression.
 */
function hasRoomForSecret(json: string): boolean {
  return (
    json.includes(' ') ||
    json.includes('=') ||
    json.includes('//') ||
    json.includes('J') ||
    json.includes('\\') ||
    json.includes('%') ||
    json.includes("'")
  );
}

/** Matches every text that `withoutSecrets` changes. */
const hint = /eyJ|:\/\/|earer|asic |passw|pwd|phrase|secret|token|cookie|authoriz|api.?key|private key/i;

const name = '(?:authorization|passw(?:or)?d|pwd|passphrase|secret|token|api[-_]?key|cookie)s?';

/**
 * Secrets by shape. The patterns match JSON, where a quote ends every value. The number of characters that each pattern
 * consumes is limited, so that a crafted line costs no more than any other.
 */
const shapes: readonly (readonly [RegExp, string])[] = [
  // A JSON Web Token, complete or truncated.
  [/(?<![A-Za-z\d])eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, redacted],
  [/\b(bearer|basic)((?: |\\t|%20)+)[\w.~+/=-]{4,}/gi, `$1$2${redacted}`],
  // The user and password of a URL.
  [/:\/\/(?:[^\s"\\]|\\.){1,384}@/g, `://${redacted}@`],
  [/-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[^"\\]|\\.){1,4096}/g, redacted],
  // JSON, an object as Node prints it, or a setting with quotes, within a text.
  [
    new RegExp(`(${name}(?:\\\\"|')? ?[:=] ?)(\\\\"|')(?:[^"'\\\\]|\\\\[^"]){1,512}`, 'gi'),
    `$1$2${redacted}`,
  ],
  // A query string or a connection string.
  [new RegExp(`(${name}=)[^\\s"\\\\&;,]{1,512}`, 'gi'), `$1${redacted}`],
  // A header, or a setting of a YAML file, within a text.
  [
    /((?:authorization|cookie|api[-_]?key|passw(?:or)?d|secret): )(?![\s"'\\[]|Bearer [[<])(?:[^"\\]|\\[^"n]){1,512}/gi,
    `$1${redacted}`,
  ],
];

/** Returns the JSON text with `[Redacted]` in place of everything that looks like a secret. */
export function withoutSecrets(json: string): string {
  if (!hasRoomForSecret(json) || !hint.test(json)) return json;
  let shown = json;
  for (const [shape, replacement] of shapes) shown = shown.replace(shape, replacement);
  return shown;
}
