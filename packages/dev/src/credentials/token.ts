import { parseCommandLine } from '../cli/arguments/command-line.ts';
import { integer, requiredText, text } from '../cli/arguments/option.ts';
import { fail } from '../cli/fail.ts';
import { dataOption } from '../repository/data-option.ts';
import { audienceOf, openDevelopmentKeys } from './development-keys.ts';

const daySeconds = 24 * 60 * 60;

const { values } = parseCommandLine({
  call: 'npx svc token',
  summary: 'Signs a development token.',
  options: {
    sub: requiredText('NAME', 'its subject'),
    scopes: requiredText('"SCOPE SCOPE"', 'its scopes'),
    audience: text(
      'SERVICE',
      'the service that accepts it. Default: that of the scopes, orders for orders:read',
    ),
    ttl: integer('SECONDS', 'how long it is valid', { from: 1, fallback: daySeconds }),
    data: dataOption,
  },
});

try {
  const keys = await openDevelopmentKeys(values.data);
  const scopes = values.scopes.split(/\s+/).filter(Boolean);
  const audience = values.audience ?? audienceOf(scopes);
  process.stdout.write(
    `${await keys.sign({ audience, subject: values.sub, scopes, ttlSeconds: values.ttl })}\n`,
  );
} catch (error) {
  fail(error);
}
