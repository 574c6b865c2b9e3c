import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../repository/paths.ts';
import { planService } from './plan-service.ts';
import { streamExclusions } from './stream-exclusions.ts';

test.each(Object.entries(streamExclusions))(
  'every latency query of %s excludes a new stream',
  (file, edit) => {
    const before = readFileSync(join(root, file), 'utf8');
    const plan = planService('xspecimens', { rpcs: ['GetXspecimen', 'WatchXspecimens', 'Xexchange:bidi'] });
    const after = edit(before, { plan, ports: { port: 1, webPort: 3, metricsPort: 2 }, rendered: new Map() });
    const [excluded, withStream] = [/rpc_method!~\\?"/g, /rpc_method!~\\?"[^"]*\|Xexchange\)\\?"/g];
    expect(after.match(withStream)?.length).toBe(before.match(excluded)?.length);
    // Watch.* is excluded already.
    expect(after.replaceAll('|Xexchange', '')).toBe(before);
  },
);
