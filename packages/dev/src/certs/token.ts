import { parseArgs } from 'node:util';
import { fail } from '../cli/fail.ts';
import { defaultDataFolder } from '../repository/paths.ts';
import { audienceOf, openDevelopmentKeys } from './development-keys.ts';

const usage =
  'usage: npm run token -- --sub alice --scopes "orders:read orders:write" [--audience SERVICE] [--ttl SECONDS] [--data FOLDER]';

try {
  const { values } = parseArgs({
    options: {
      sub: { type: 'string' },
      scopes: { type: 'string' },
      audience: { type: 'string' },
      ttl: { type: 'string', default: '86400' },
      data: { type: 'string', default: defaultDataFolder },
    },
  });
  const ttlSeconds = Number(values.ttl);
  if (!values.sub || !values.scopes || !Number.isInteger(ttlSeconds) || ttlSeconds <= 0) fail(usage);
  const keys = await openDevelopmentKeys(values.data);
  const scopes = values.scopes.split(/\s+/).filter(Boolean);
  const audience = values.audience ?? audienceOf(scopes);
  process.stdout.write(`${await keys.sign({ audience, subject: values.sub, scopes, ttlSeconds })}\n`);
} catch (error) {
  fail(error);
}
