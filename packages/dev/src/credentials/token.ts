import { parseCommandLine } from '../cli/command-line.ts';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { audienceOf, openDevelopmentKeys } from './development-keys.ts';

const usage = `usage: npx svc token --sub NAME --scopes "SCOPE SCOPE" [--audience SERVICE] [--ttl SECONDS] [--data FOLDER]

Without --audience the token is for the service of the scopes: orders for orders:read.`;

const { values } = parseCommandLine({
  usage,
  options: {
    sub: { type: 'string' },
    scopes: { type: 'string' },
    audience: { type: 'string' },
    ttl: { type: 'string', default: '86400' },
    data: { type: 'string', default: defaultDataFolder },
  },
});

try {
  const ttlSeconds = Number(values.ttl);
  if (!values.sub || !values.scopes || !Number.isInteger(ttlSeconds) || ttlSeconds <= 0) fail(usage);
  const keys = await openDevelopmentKeys(values.data);
  const scopes = values.scopes.split(/\s+/).filter(Boolean);
  const audience = values.audience ?? audienceOf(scopes);
  process.stdout.write(`${await keys.sign({ audience, subject: values.sub, scopes, ttlSeconds })}\n`);
} catch (error) {
  fail(error);
}
