/** Written in the place of a secret. */
export const redacted = '[Redacted]';

const secretName =
  /(authorization|passw(or)?d|pwd|passphrase|secret|token|jwt|cookie|apikey|privatekey|credential)s?$/;

/** Names that were judged before. Callers can make up names, so the number of names that are kept is limited. */
const judgedNames = new Map<string, boolean>();
const maxJudgedNames = 1000;
const maxNameLength = 64;

/** Returns whether a field of this name holds a secret: `Authorization`, `access_token`, `x-api-key`, `setCookie`. */
export function isSecretName(name: string): boolean {
  const known = judgedNames.get(name);
  if (known !== undefined) return known;
  const end = name.slice(-maxNameLength).toLowerCase();
  const isSecret = secretName.test(end.replaceAll(/[^a-z\d]/g, ''));
  if (judgedNames.size >= maxJudgedNames) judgedNames.clear();
  if (name.length <= maxNameLength) judgedNames.set(name, isSecret);
  return isSecret;
}

/**
 * Whether the JSON has one of the characters without which no secret is looked for. Most lines of calls have none, and a
 * search for a character costs a tenth of a regular expression.
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

/** Occurs in every text that `withoutSecrets` changes. */
const hint = /eyJ|:\/\/|earer|asic |passw|pwd|phrase|secret|token|cookie|authoriz|api.?key|private key/i;

const name = '(?:authorization|passw(?:or)?d|pwd|passphrase|secret|token|api[-_]?key|cookie)s?';

/**
 * Secrets by their shape. They are looked for in JSON, so that a quote ends every value. The number of characters that
 * each pattern takes is limited, which keeps a line that a caller made up from costing more than any other.
 */
const shapes: readonly (readonly [RegExp, string])[] = [
  // A JSON Web Token, whole or cut.
  [/(?<![A-Za-z\d])eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, redacted],
  [/\b(bearer|basic)((?: |\\t|%20)+)[\w.~+/=-]{4,}/gi, `$1$2${redacted}`],
  // What stands before the host of a URL.
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

/** Returns the text of a JSON value with `[Redacted]` for what looks like a secret. */
export function withoutSecrets(json: string): string {
  if (!hasRoomForSecret(json) || !hint.test(json)) return json;
  let shown = json;
  for (const [shape, replacement] of shapes) shown = shown.replace(shape, replacement);
  return shown;
}
