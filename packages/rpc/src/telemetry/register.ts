/**
 * Starts telemetry on import. Import it first in `main.ts`, or preload it:
 * `node --import @acme/rpc/telemetry/register src/main.ts`. The service is named after its package: `orders` for
 * `@acme/orders`.
 */

import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTelemetry } from './telemetry.ts';

startTelemetry({ service: packageName() });

function packageName(): string | undefined {
  const [, entryPoint] = process.argv;
  // Undefined for `node --eval`, and a pattern for `node --test`.
  const file = entryPoint && existsSync(entryPoint) && findPackageJSON(pathToFileURL(entryPoint));
  // Outside a package Node returns the entry point itself.
  if (!file || basename(file) !== 'package.json') return undefined;
  const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string };
  return name?.replace(/^@[^/]*\//, '');
}
