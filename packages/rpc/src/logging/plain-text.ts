/**
 * Plain texts need no work in a line of the log: they are ASCII, JSON does not escape them, terminals do not act on them, and
 * they lack a character without which no text looks like a secret (`withoutSecrets`). The texts of most calls are plain.
 */
const notPlain = /[^A-IK-Za-z\d_.:/@+-]|\/\//;
/** The same for JSON, which has quotes, commas and braces, too. */
const notPlainJson = /[^A-IK-Za-z\d_.:/@+"{},-]|\/\//;

export function isPlain(text: string): boolean {
  return !notPlain.test(text);
}

let lastJson = '';

/** Returns whether JSON consists of plain texts. The last plain one is cached, because nearly all lines have the same bindings. */
export function isPlainJson(json: string): boolean {
  if (json === lastJson) return true;
  const isPlain = !notPlainJson.test(json);
  if (isPlain) lastJson = json;
  return isPlain;
}
