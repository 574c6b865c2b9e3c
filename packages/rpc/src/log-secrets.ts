/** Fields whose values are not to be read by everybody who reads logs. */
const secretKeys = ['authorization', 'password', 'token'];
const redacted = '[Redacted]';

/** For pino's `serializers`: what a field of that name is written as, in children too. */
export const secretSerializers = Object.fromEntries(secretKeys.map((key) => [key, () => redacted]));

/**
 * For pino's `formatters.log`: the same one level below. pino's own `redact` parses its paths again for every line, which
 * takes as long as writing it.
 */
export function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  let shown = fields;
  for (const key in fields) {
    const value = fields[key];
    if (!isRecord(value) || !secretKeys.some((each) => each in value)) continue;
    if (shown === fields) shown = { ...fields };
    shown[key] = Object.fromEntries(
      Object.entries(value).map(([each, inner]) => [each, secretKeys.includes(each) ? redacted : inner]),
    );
  }
  return shown;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Error);
}
